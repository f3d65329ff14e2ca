"""The client-registry service: routes, and what they need."""

from collections.abc import AsyncIterator

from aiohttp import web

from services.client_registry.configure import (
    CONFIGURATION_ENDPOINT,
    ConfigurationEndpoint,
    delete,
    show,
    update,
)
from services.client_registry.refusal import refusing
from services.client_registry.register import REGISTRATION_ENDPOINT, RegistrationEndpoint, register
from shared.paths import CLIENT_CONFIGURATION, REGISTRATION
from shared.web.app import SETTINGS
from shared.web.resources import STORES, need, stores


async def _endpoints(app: web.Application) -> AsyncIterator[None]:
    settings, opened = app[SETTINGS], app[STORES]
    app[REGISTRATION_ENDPOINT] = RegistrationEndpoint(
        opened.clients, opened.initial_access_tokens, opened.counters, settings
    )
    app[CONFIGURATION_ENDPOINT] = ConfigurationEndpoint(opened.clients, settings)
    yield


def mount(app: web.Application) -> None:
    """Add this service's routes. Where registration is closed, those who have registered keep their own."""
    need(app, stores, _endpoints)
    if app[SETTINGS].registration != "closed":
        app.router.add_post(REGISTRATION.path, refusing(register))
    app.router.add_get(CLIENT_CONFIGURATION.path, refusing(show), allow_head=False)
    app.router.add_put(CLIENT_CONFIGURATION.path, refusing(update))
    app.router.add_delete(CLIENT_CONFIGURATION.path, refusing(delete))
