"""The endpoints of roles: the functions of `ostiary role` over HTTP."""

from dataclasses import dataclass

from aiohttp import web

from services.accounts.administration.bodies import NewRoleRequest, RoleReplacement
from services.accounts.administration.users import done, user_id_of
from shared.administration.bodies import described
from shared.administration.guard import Caller
from shared.administration.paging import page, read_page_request, split
from shared.operations.roles import (
    add_role,
    delete_role,
    get,
    give_role,
    give_role_to_group,
    rename_role,
    shown,
    take_role,
    take_role_from_group,
)
from shared.operations.users import get_by_id
from shared.paths import ADMIN_ROLE
from shared.store import Groups, Role, Roles, Users
from shared.web.answers import json_answer
from shared.web.form import query
from shared.web.preconditions import check_if_match, etag


@dataclass(frozen=True, slots=True)
class RoleAdministration:
    """The collaborators of the endpoints."""

    roles: Roles
    groups: Groups
    users: Users

    async def of_version(self, request: web.Request, *, is_required: bool = False) -> Role:
        """The role of the path, in the version that If-Match names.

        Raises NoSuchRole, PreconditionFailed, PreconditionRequired, InvalidRequest.
        """
        role = await get(self.roles, request.match_info["role"])
        check_if_match(request.headers.get("If-Match"), role.version, is_required=is_required)
        return role


ROLE_ADMINISTRATION = web.AppKey("ROLE_ADMINISTRATION", RoleAdministration)


def _answer(role: Role, status: int = 200, **headers: str) -> web.Response:
    return json_answer(shown(role), status=status, headers={"ETag": etag(role.version), **headers})


async def list_roles(request: web.Request, _: Caller) -> web.Response:
    requested = read_page_request(query(request))
    listed = await request.app[ROLE_ADMINISTRATION].roles.list(requested.after, requested.limit + 1)
    on_page, last = split(listed, requested.limit)
    return json_answer(page("roles", map(shown, on_page), last.name if last else None))


async def create_role(request: web.Request, caller: Caller) -> web.Response:
    body = await described(request, NewRoleRequest)
    role = await add_role(request.app[ROLE_ADMINISTRATION].roles, body.name, by=caller.author)
    return _answer(role, 201, Location=ADMIN_ROLE.of(role=role.name))


async def read_role(request: web.Request, _: Caller) -> web.Response:
    return _answer(await get(request.app[ROLE_ADMINISTRATION].roles, request.match_info["role"]))


async def change_role(request: web.Request, caller: Caller) -> web.Response:
    """Whoever has the role keeps it."""
    administration = request.app[ROLE_ADMINISTRATION]
    role = await administration.of_version(request, is_required=True)
    body = await described(request, RoleReplacement)
    return _answer(await rename_role(administration.roles, role, body.name, by=caller.author))


async def remove_role(request: web.Request, caller: Caller) -> web.Response:
    """Every session and grant of whoever has the role ends."""
    administration = request.app[ROLE_ADMINISTRATION]
    role = await administration.of_version(request)
    await delete_role(administration.roles, role, by=caller.author)
    return done()


async def give(request: web.Request, caller: Caller) -> web.Response:
    administration, role = request.app[ROLE_ADMINISTRATION], request.match_info["role"]
    user = await get_by_id(administration.users, user_id_of(request))
    await give_role(administration.roles, administration.groups, role, user.user_id, by=caller.author)
    return done()


async def take(request: web.Request, caller: Caller) -> web.Response:
    """Every session and grant of the user ends."""
    administration, role = request.app[ROLE_ADMINISTRATION], request.match_info["role"]
    user = await get_by_id(administration.users, user_id_of(request))
    await take_role(administration.roles, administration.groups, role, user.user_id, by=caller.author)
    return done()


async def give_to_group(request: web.Request, caller: Caller) -> web.Response:
    administration = request.app[ROLE_ADMINISTRATION]
    role, group = request.match_info["role"], request.match_info["group"]
    await give_role_to_group(administration.roles, administration.groups, role, group, by=caller.author)
    return done()


async def take_from_group(request: web.Request, caller: Caller) -> web.Response:
    """Every session and grant of whoever is in the group ends."""
    administration = request.app[ROLE_ADMINISTRATION]
    role, group = request.match_info["role"], request.match_info["group"]
    await take_role_from_group(administration.roles, administration.groups, role, group, by=caller.author)
    return done()
