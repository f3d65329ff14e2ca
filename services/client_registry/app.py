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
from services.client_registry.description import Descriptions
from services.client_registry.refusal import refusing
from services.client_registry.register import REGISTRATION_ENDPOINT, RegistrationEndpoint, register
from services.client_registry.software_statement import BadIssuers, Issuers, read_issuers
from shared.paths import CLIENT_CONFIGURATION, REGISTRATION
from shared.settings import Settings, SettingsError
from shared.web.app import SETTINGS
from shared.web.resources import FETCHER, STORES, fetcher, need, stores

STATEMENT_ISSUERS = web.AppKey[Issuers]("STATEMENT_ISSUERS")


def _statement_issuers(settings: Settings) -> Issuers:
    """Raises SettingsError."""
    if (file := settings.software_statement_issuers) is None:
        return {}
    try:
        return read_issuers(file.read_bytes())
    except (OSError, BadIssuers) as fault:
        raise SettingsError((f"OSTIARY_SOFTWARE_STATEMENT_ISSUERS: {file} {fault}",)) from None


async def _endpoints(app: web.Application) -> AsyncIterator[None]:
    settings, opened = app[SETTINGS], app[STORES]
    descriptions = Descriptions(settings.issuer, app[STATEMENT_ISSUERS], app[FETCHER])
    app[REGISTRATION_ENDPOINT] = RegistrationEndpoint(
        opened.clients, opened.initial_access_tokens, opened.counters, descriptions, settings
    )
    app[CONFIGURATION_ENDPOINT] = ConfigurationEndpoint(opened.clients, descriptions, settings)
    yield


def mount(app: web.Application) -> None:
    """Add this service's routes. Where registration is closed, those who have registered keep their own.

    Raises SettingsError.
    """
    app[STATEMENT_ISSUERS] = _statement_issuers(app[SETTINGS])
    need(app, stores, fetcher, _endpoints)
    if app[SETTINGS].registration != "closed":
        app.router.add_post(REGISTRATION.path, refusing(register))
    app.router.add_get(CLIENT_CONFIGURATION.path, refusing(show), allow_head=False)
    app.router.add_put(CLIENT_CONFIGURATION.path, refusing(update))
    app.router.add_delete(CLIENT_CONFIGURATION.path, refusing(delete))
