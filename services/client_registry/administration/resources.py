"""The endpoints of the administration of protected resources: `ostiary resource` over HTTP."""

from dataclasses import dataclass

from aiohttp import web

from shared.administration.bodies import members
from shared.administration.guard import Caller
from shared.administration.paging import page, read_page_request, split
from shared.oauth.resource.record import ProtectedResource
from shared.operations.protected_resources import (
    ResourceRules,
    add_resource,
    get,
    replace_resource,
    shown,
)
from shared.paths import ADMIN_RESOURCE
from shared.store import ProtectedResources
from shared.web.answers import json_answer
from shared.web.form import query
from shared.web.headers import NO_STORE, SAFE
from shared.web.preconditions import CHANGED, PreconditionFailed, check_if_match, etag


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceAdministration:
    """The collaborators of the endpoints."""

    resources: ProtectedResources
    rules: ResourceRules

    async def of_path(self, request: web.Request) -> ProtectedResource:
        """The resource of the path. Raises NoSuchResource."""
        return await get(self.resources, request.match_info["resource"])

    async def of_version(self, request: web.Request, *, is_required: bool = False) -> ProtectedResource:
        """The resource of the path, in the version that If-Match names.

        Raises NoSuchResource, PreconditionFailed, PreconditionRequired, InvalidRequest.
        """
        resource = await self.of_path(request)
        check_if_match(request.headers.get("If-Match"), resource.version, is_required=is_required)
        return resource


RESOURCE_ADMINISTRATION = web.AppKey("RESOURCE_ADMINISTRATION", ResourceAdministration)


def _answer(resource: ProtectedResource, status: int = 200, **headers: str) -> web.Response:
    return json_answer(shown(resource), status=status, headers={"ETag": etag(resource.version), **headers})


async def list_resources(request: web.Request, _: Caller) -> web.Response:
    requested = read_page_request(query(request))
    resources = request.app[RESOURCE_ADMINISTRATION].resources
    on_page, last = split(await resources.list(requested.after, requested.limit + 1), requested.limit)
    return json_answer(page("resources", map(shown, on_page), last.name if last else None))


async def create_resource(request: web.Request, caller: Caller) -> web.Response:
    administration = request.app[RESOURCE_ADMINISTRATION]
    added = await add_resource(
        administration.resources, await members(request), administration.rules, by=caller.author
    )
    return _answer(added, 201, Location=ADMIN_RESOURCE.for_resource(added.name))


async def read_resource(request: web.Request, _: Caller) -> web.Response:
    return _answer(await request.app[RESOURCE_ADMINISTRATION].of_path(request))


async def change_resource(request: web.Request, caller: Caller) -> web.Response:
    """An omitted member returns to its default."""
    administration = request.app[RESOURCE_ADMINISTRATION]
    resource = await administration.of_version(request, is_required=True)
    described = await members(request)
    return _answer(
        await replace_resource(
            administration.resources, resource, described, administration.rules, by=caller.author
        )
    )


async def delete_resource(request: web.Request, caller: Caller) -> web.Response:
    administration = request.app[RESOURCE_ADMINISTRATION]
    resource = await administration.of_version(request)
    if not await administration.resources.delete(resource, by=caller.author):
        raise PreconditionFailed(CHANGED)
    return web.Response(status=204, headers={**SAFE, **NO_STORE})
