"""The routes of the administration, each with the scope that it needs."""

from functools import partial

from aiohttp import web

from services.client_registry.administration.administrator import (
    AdminEndpoint,
    administering,
    administration_error,
)
from services.client_registry.administration.clients import (
    change_client,
    create_client,
    delete_client,
    invite_client,
    list_clients,
    read_client,
    rotate,
)
from services.client_registry.administration.openapi.document import document
from services.client_registry.administration.resources import (
    change_resource,
    create_resource,
    delete_resource,
    list_resources,
    read_resource,
)
from shared.oauth.resource.own import (
    READ_CLIENTS,
    READ_RESOURCES,
    WRITE_CLIENTS,
    WRITE_RESOURCES,
    administration_resource,
)
from shared.paths import (
    ADMIN_CLIENT,
    ADMIN_CLIENT_SECRET,
    ADMIN_CLIENTS,
    ADMIN_INVITATIONS,
    ADMIN_OPENAPI,
    ADMIN_RESOURCE,
    ADMIN_RESOURCES,
    Path,
)
from shared.server.app import SETTINGS, refuse_with
from shared.web.answers import json_answer
from shared.web.bearer import described_at

_ROUTES: tuple[tuple[str, Path, str, AdminEndpoint], ...] = (
    ("GET", ADMIN_CLIENTS, READ_CLIENTS, list_clients),
    ("POST", ADMIN_CLIENTS, WRITE_CLIENTS, create_client),
    ("GET", ADMIN_CLIENT, READ_CLIENTS, read_client),
    ("PUT", ADMIN_CLIENT, WRITE_CLIENTS, change_client),
    ("DELETE", ADMIN_CLIENT, WRITE_CLIENTS, delete_client),
    ("POST", ADMIN_CLIENT_SECRET, WRITE_CLIENTS, rotate),
    ("POST", ADMIN_INVITATIONS, WRITE_CLIENTS, invite_client),
    ("GET", ADMIN_RESOURCES, READ_RESOURCES, list_resources),
    ("POST", ADMIN_RESOURCES, WRITE_RESOURCES, create_resource),
    ("GET", ADMIN_RESOURCE, READ_RESOURCES, read_resource),
    ("PUT", ADMIN_RESOURCE, WRITE_RESOURCES, change_resource),
    ("DELETE", ADMIN_RESOURCE, WRITE_RESOURCES, delete_resource),
)


def mount_administration(app: web.Application) -> None:
    """Add the routes. The OpenAPI document needs no token: it contains nothing that the source does not."""
    settings = app[SETTINGS]
    described = document(settings.issuer)
    metadata = described_at(settings, administration_resource(settings.issuer))

    async def openapi(_: web.Request) -> web.Response:
        return json_answer(described)

    paths = {path for _, path, _, _ in _ROUTES}
    refuse_with(app, partial(administration_error, resource_metadata=metadata), paths)
    for method, path, scope, endpoint in _ROUTES:
        app.router.add_route(method, path.path, administering(scope, endpoint))
    app.router.add_get(ADMIN_OPENAPI.path, openapi)
