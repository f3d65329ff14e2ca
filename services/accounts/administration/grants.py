"""The endpoints of grants: what clients may do for users."""

from dataclasses import dataclass
from uuid import UUID

from aiohttp import web

from services.accounts.administration.listing import GRANT_FILTERS, read_sub, read_text
from services.accounts.administration.users import done
from shared.administration.guard import Caller
from shared.administration.paging import page, read_page_request, split, uuid_after
from shared.oauth.errors import InvalidRequest
from shared.operations.grants import NoSuchGrant, get, revoke_grant, shown
from shared.store import Grants
from shared.web.answers import json_answer
from shared.web.form import query


@dataclass(frozen=True, slots=True)
class GrantAdministration:
    """The collaborators of the endpoints."""

    grants: Grants


GRANT_ADMINISTRATION = web.AppKey("GRANT_ADMINISTRATION", GrantAdministration)


def _grant_id(request: web.Request) -> UUID:
    """Raises NoSuchGrant."""
    grant_id = request.match_info["grant_id"]
    try:
        return UUID(grant_id)
    except ValueError:
        raise NoSuchGrant(grant_id) from None


async def list_grants(request: web.Request, _: Caller) -> web.Response:
    parameters = query(request)
    requested = read_page_request(parameters, GRANT_FILTERS)
    user_id, client_id = read_sub(parameters), read_text(parameters, "client_id")
    grants = request.app[GRANT_ADMINISTRATION].grants
    after, limit = uuid_after(requested), requested.limit + 1
    if user_id is not None:
        listed = await grants.list_of_user(user_id, after, limit, client_id)
    elif client_id is not None:
        listed = await grants.list_of_client(client_id, after, limit)
    else:
        raise InvalidRequest("sub or client_id must say whose grants are listed")
    on_page, last = split(listed, requested.limit)
    return json_answer(page("grants", map(shown, on_page), str(last.grant_id) if last else None))


async def read_grant(request: web.Request, _: Caller) -> web.Response:
    return json_answer(shown(await get(request.app[GRANT_ADMINISTRATION].grants, _grant_id(request))))


async def revoke(request: web.Request, caller: Caller) -> web.Response:
    """The tokens of the grant end with it."""
    await revoke_grant(request.app[GRANT_ADMINISTRATION].grants, _grant_id(request), by=caller.author)
    return done()
