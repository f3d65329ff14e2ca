"""The endpoints of the administration of clients: the functions of `ostiary client` over HTTP."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.client_registry.administration.listing import FILTERS, client_page, read_filter
from shared.administration.bodies import members, options
from shared.administration.guard import Caller
from shared.administration.paging import read_page_request
from shared.config.settings import Settings
from shared.live import clock
from shared.oauth.client.record import Client
from shared.operations.clients import (
    MAX_OVERLAP,
    Registered,
    add_client,
    allowed_by,
    delete_client,
    get,
    replace_client,
    rotate_secret,
)
from shared.operations.examination.examine import Examiner
from shared.operations.invitations import MAX_USES, invite
from shared.paths import ADMIN_CLIENT
from shared.store import Clients, InitialAccessTokens
from shared.web.answers import json_answer
from shared.web.form import query
from shared.web.headers import NO_STORE, SAFE
from shared.web.preconditions import check_if_match, etag

MAX_INVITATION = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    """The collaborators of the endpoints."""

    clients: Clients
    examiner: Examiner
    initial_access_tokens: InitialAccessTokens
    settings: Settings


ADMINISTRATION = web.AppKey("ADMINISTRATION", Administration)


class RotationRequest(BaseModel):
    """The body of a rotation: how long the previous secret stays valid, in seconds."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    overlap: Annotated[int, Field(ge=0, le=int(MAX_OVERLAP.total_seconds()))] = 0


class InvitationRequest(BaseModel):
    """The body of an invitation: the uses and the lifetime of an initial access token, in seconds."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    uses: Annotated[int, Field(ge=1, le=MAX_USES)] = 1
    expires_in: Annotated[int, Field(ge=1, le=int(MAX_INVITATION.total_seconds()))] = 86_400


async def _client(request: web.Request, *, is_required: bool = False) -> Client:
    """The client of the path, in the version that If-Match names.

    Raises NoSuchClient, PreconditionFailed, PreconditionRequired, InvalidRequest.
    """
    client = await get(request.app[ADMINISTRATION].clients, request.match_info["client_id"])
    check_if_match(request.headers.get("If-Match"), client.version, is_required=is_required)
    return client


def _client_answer(registered: Registered, status: int = 200, **headers: str) -> web.Response:
    return json_answer(
        registered.members(), status=status, headers={"ETag": etag(registered.client.version), **headers}
    )


async def list_clients(request: web.Request, _: Caller) -> web.Response:
    requested, matching = read_page_request(query(request), FILTERS), read_filter(query(request))
    clients = await request.app[ADMINISTRATION].clients.list(requested.after, requested.limit + 1, matching)
    return json_answer(client_page(clients, requested.limit))


async def create_client(request: web.Request, caller: Caller) -> web.Response:
    administration, metadata = request.app[ADMINISTRATION], await members(request)
    allowed = allowed_by(administration.settings)
    added = await add_client(administration.clients, metadata, allowed, by=caller.author)
    registered = await administration.examiner.examined(added)
    return _client_answer(registered, 201, Location=ADMIN_CLIENT.for_client(registered.client.client_id))


async def read_client(request: web.Request, _: Caller) -> web.Response:
    return _client_answer(
        Registered(await get(request.app[ADMINISTRATION].clients, request.match_info["client_id"]))
    )


async def change_client(request: web.Request, caller: Caller) -> web.Response:
    """An omitted member returns to its default."""
    administration, client = request.app[ADMINISTRATION], await _client(request, is_required=True)
    metadata, allowed = await members(request), allowed_by(administration.settings)
    replaced = await replace_client(administration.clients, client, metadata, allowed, by=caller.author)
    return _client_answer(await administration.examiner.examined(replaced))


async def remove_client(request: web.Request, caller: Caller) -> web.Response:
    client = await _client(request)
    await delete_client(request.app[ADMINISTRATION].clients, client, by=caller.author)
    return web.Response(status=204, headers={**SAFE, **NO_STORE})


async def rotate(request: web.Request, caller: Caller) -> web.Response:
    client, body = await _client(request), await options(request, RotationRequest)
    rotated = await rotate_secret(
        request.app[ADMINISTRATION].clients,
        client,
        clock.now(),
        timedelta(seconds=body.overlap),
        by=caller.author,
    )
    return json_answer(rotated.secrets())


async def invite_client(request: web.Request, caller: Caller) -> web.Response:
    body = await options(request, InvitationRequest)
    expires_at = clock.now() + timedelta(seconds=body.expires_in)
    tokens = request.app[ADMINISTRATION].initial_access_tokens
    return json_answer((await invite(tokens, body.uses, expires_at, by=caller.author)).members(), status=201)
