"""The endpoints of groups and memberships: the functions of `ostiary group` over HTTP."""

from dataclasses import dataclass

from aiohttp import web

from services.accounts.administration.bodies import GroupReplacement, NewGroupRequest
from services.accounts.administration.users import done, user_id_of
from shared.administration.bodies import described
from shared.administration.guard import Caller
from shared.administration.paging import page, read_page_request, split
from shared.operations.groups import (
    add_group,
    delete_group,
    get,
    join_group,
    leave_group,
    nest_group,
    replace_group,
    shown,
    unnest_group,
)
from shared.operations.users import get_by_id
from shared.paths import ADMIN_GROUP
from shared.store import Groups, UserGroup, Users
from shared.web.answers import json_answer
from shared.web.form import query
from shared.web.preconditions import check_if_match, etag


@dataclass(frozen=True, slots=True)
class GroupAdministration:
    """The collaborators of the endpoints."""

    groups: Groups
    users: Users

    async def of_version(self, request: web.Request, *, is_required: bool = False) -> UserGroup:
        """The group of the path, in the version that If-Match names.

        Raises NoSuchGroup, PreconditionFailed, PreconditionRequired, InvalidRequest.
        """
        group = await get(self.groups, request.match_info["group"])
        check_if_match(request.headers.get("If-Match"), group.version, is_required=is_required)
        return group


GROUP_ADMINISTRATION = web.AppKey("GROUP_ADMINISTRATION", GroupAdministration)


def _answer(group: UserGroup, status: int = 200, **headers: str) -> web.Response:
    return json_answer(shown(group), status=status, headers={"ETag": etag(group.version), **headers})


async def list_groups(request: web.Request, _: Caller) -> web.Response:
    requested = read_page_request(query(request))
    listed = await request.app[GROUP_ADMINISTRATION].groups.list(requested.after, requested.limit + 1)
    on_page, last = split(listed, requested.limit)
    return json_answer(page("groups", map(shown, on_page), last.name if last else None))


async def create_group(request: web.Request, caller: Caller) -> web.Response:
    body = await described(request, NewGroupRequest)
    groups = request.app[GROUP_ADMINISTRATION].groups
    group = await add_group(
        groups,
        body.name,
        body.scopes,
        requires_second_factor=body.requires_second_factor,
        by=caller.author,
    )
    return _answer(group, 201, Location=ADMIN_GROUP.of(group=group.name))


async def read_group(request: web.Request, _: Caller) -> web.Response:
    return _answer(await get(request.app[GROUP_ADMINISTRATION].groups, request.match_info["group"]))


async def change_group(request: web.Request, caller: Caller) -> web.Response:
    """Members stay members, and sessions continue."""
    administration = request.app[GROUP_ADMINISTRATION]
    group = await administration.of_version(request, is_required=True)
    body = await described(request, GroupReplacement)
    replaced = await replace_group(
        administration.groups,
        group,
        body.name,
        body.scopes,
        requires_second_factor=body.requires_second_factor,
        by=caller.author,
    )
    return _answer(replaced)


async def remove_group(request: web.Request, caller: Caller) -> web.Response:
    """Every session and grant of whoever is in the group ends."""
    administration = request.app[GROUP_ADMINISTRATION]
    group = await administration.of_version(request)
    await delete_group(administration.groups, group, by=caller.author)
    return done()


async def join(request: web.Request, caller: Caller) -> web.Response:
    administration = request.app[GROUP_ADMINISTRATION]
    user = await get_by_id(administration.users, user_id_of(request))
    await join_group(administration.groups, request.match_info["group"], user.user_id, by=caller.author)
    return done()


async def leave(request: web.Request, caller: Caller) -> web.Response:
    """Every session and grant of the user ends."""
    administration = request.app[GROUP_ADMINISTRATION]
    user = await get_by_id(administration.users, user_id_of(request))
    await leave_group(administration.groups, request.match_info["group"], user.user_id, by=caller.author)
    return done()


async def nest(request: web.Request, caller: Caller) -> web.Response:
    administration = request.app[GROUP_ADMINISTRATION]
    parent = await administration.of_version(request)
    await nest_group(administration.groups, parent, request.match_info["member"], by=caller.author)
    return done()


async def unnest(request: web.Request, caller: Caller) -> web.Response:
    """Every session and grant of whoever is in the member ends."""
    administration = request.app[GROUP_ADMINISTRATION]
    parent = await administration.of_version(request)
    await unnest_group(administration.groups, parent, request.match_info["member"], by=caller.author)
    return done()
