"""The routes of the administration, each with the scope that it needs."""

from aiohttp import web

from services.client_registry.administration.clients import (
    change_client,
    create_client,
    invite_client,
    list_clients,
    read_client,
    remove_client,
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
from shared.administration.routes import AdminRoute, mount_routes
from shared.oauth.resource.own import (
    READ_CLIENTS,
    READ_RESOURCES,
    WRITE_CLIENTS,
    WRITE_RESOURCES,
)
from shared.paths import (
    ADMIN_CLIENT,
    ADMIN_CLIENT_SECRET,
    ADMIN_CLIENTS,
    ADMIN_INVITATIONS,
    ADMIN_OPENAPI,
    ADMIN_RESOURCE,
    ADMIN_RESOURCES,
)

_ROUTES = (
    AdminRoute("GET", ADMIN_CLIENTS, READ_CLIENTS, list_clients),
    AdminRoute("POST", ADMIN_CLIENTS, WRITE_CLIENTS, create_client),
    AdminRoute("GET", ADMIN_CLIENT, READ_CLIENTS, read_client),
    AdminRoute("PUT", ADMIN_CLIENT, WRITE_CLIENTS, change_client),
    AdminRoute("DELETE", ADMIN_CLIENT, WRITE_CLIENTS, remove_client),
    AdminRoute("POST", ADMIN_CLIENT_SECRET, WRITE_CLIENTS, rotate),
    AdminRoute("POST", ADMIN_INVITATIONS, WRITE_CLIENTS, invite_client),
    AdminRoute("GET", ADMIN_RESOURCES, READ_RESOURCES, list_resources),
    AdminRoute("POST", ADMIN_RESOURCES, WRITE_RESOURCES, create_resource),
    AdminRoute("GET", ADMIN_RESOURCE, READ_RESOURCES, read_resource),
    AdminRoute("PUT", ADMIN_RESOURCE, WRITE_RESOURCES, change_resource),
    AdminRoute("DELETE", ADMIN_RESOURCE, WRITE_RESOURCES, delete_resource),
)


def mount_administration(app: web.Application) -> None:
    """Add the routes."""
    mount_routes(app, _ROUTES, ADMIN_OPENAPI, document)
