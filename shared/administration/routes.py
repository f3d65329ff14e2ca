"""Mounts the routes of an administration API, each with the scope that it needs, and its description."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from aiohttp import web

from shared.administration.faults import administration_error
from shared.administration.guard import AdminEndpoint, administering
from shared.oauth.resource.own import administration_resource
from shared.paths import Path
from shared.server.app import SETTINGS, refuse_with
from shared.web.answers import json_answer
from shared.web.bearer import described_at


class AdminRoute(NamedTuple):
    """A method of a path, the scope that it needs, and its endpoint."""

    method: str
    path: Path
    scope: str
    endpoint: AdminEndpoint


def mount_routes(
    app: web.Application, routes: Sequence[AdminRoute], openapi: Path, document: Callable[[str], Any]
) -> None:
    """Add the routes. *document*: the OpenAPI document of an issuer.

    It needs no token: it contains nothing that the source does not.
    """
    settings = app[SETTINGS]
    metadata = described_at(settings, administration_resource(settings.issuer))

    async def describe(_: web.Request) -> web.Response:
        return json_answer(document(settings.issuer))

    paths = {route.path for route in routes}
    refuse_with(app, partial(administration_error, resource_metadata=metadata), paths)
    for route in routes:
        app.router.add_route(route.method, route.path.path, administering(route.scope, route.endpoint))
    app.router.add_get(openapi.path, describe)
