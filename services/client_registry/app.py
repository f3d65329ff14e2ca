"""The client-registry service: its routes and their collaborators."""

from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from services.client_registry.administration.clients import ADMINISTRATION, Administration
from services.client_registry.administration.resources import RESOURCE_ADMINISTRATION, ResourceAdministration
from services.client_registry.administration.routes import mount_administration
from services.client_registry.errors import registering
from services.client_registry.registration.configure import (
    CONFIGURATION_ENDPOINT,
    ConfigurationEndpoint,
    delete,
    show,
    update,
)
from services.client_registry.registration.register import (
    REGISTRATION_ENDPOINT,
    RegistrationEndpoint,
    register,
)
from services.client_registry.registration.software_statement import BadIssuers, Issuers, read_issuers
from shared.administration.guard import ADMINISTRATORS, Administrators
from shared.config.settings import Settings, SettingsError
from shared.live.deployment_settings import EVERY, DeploymentSettings
from shared.operations.examination.examine import Examiner
from shared.operations.protected_resources import ResourceRules
from shared.paths import CLIENT_CONFIGURATION, REGISTRATION
from shared.server.app import BACKGROUND, SETTINGS, refuse_with
from shared.server.recent_refusals import recent_refusals
from shared.server.resources import (
    CLIENTS,
    FAILED_AUTHENTICATIONS,
    FETCHER,
    KEYRING,
    PROTECTED_RESOURCES,
    STORES,
    failed_authentications,
    fetcher,
    need,
    stores,
)
from shared.store import Unavailable
from shared.web.bearer import bearer_error
from shared.web.cors import cross_origin

STATEMENT_ISSUERS = web.AppKey[Issuers]("STATEMENT_ISSUERS")


def _statement_issuers(settings: Settings) -> Issuers:
    """Raises SettingsError."""
    if (file := settings.software_statement_issuers) is None:
        return {}
    try:
        return read_issuers(file.read_bytes())
    except (OSError, BadIssuers) as fault:
        raise SettingsError((f"OSTIARY_SOFTWARE_STATEMENT_ISSUERS: {file} {fault}",)) from None


async def _recorded_settings(app: web.Application) -> AsyncIterator[None]:
    """Record what clients may register, which this service decides. Needs `stores`."""
    recorded = DeploymentSettings(app[STORES].deployment, app[SETTINGS])
    with suppress(Unavailable):  # the loop tries again
        await recorded.note()
    async with app[BACKGROUND].repeating("settings", recorded.note, EVERY):
        yield


async def _endpoints(app: web.Application) -> AsyncIterator[None]:
    """The collaborators of every endpoint. Needs the shared resources of `mount`."""
    settings, stores = app[SETTINGS], app[STORES]
    app[REGISTRATION_ENDPOINT] = RegistrationEndpoint(
        clients=stores.clients,
        initial_access_tokens=stores.initial_access_tokens,
        counters=stores.counters,
        statement_issuers=app[STATEMENT_ISSUERS],
        fetcher=app[FETCHER],
        failures=app[FAILED_AUTHENTICATIONS],
        resources=app[PROTECTED_RESOURCES],
        settings=settings,
    )
    app[CONFIGURATION_ENDPOINT] = ConfigurationEndpoint(
        clients=stores.clients,
        statement_issuers=app[STATEMENT_ISSUERS],
        fetcher=app[FETCHER],
        failures=app[FAILED_AUTHENTICATIONS],
        resources=app[PROTECTED_RESOURCES],
        settings=settings,
    )
    app[ADMINISTRATORS] = Administrators.of(settings, stores, app[KEYRING], app[CLIENTS])
    app[ADMINISTRATION] = Administration(
        clients=stores.clients,
        examiner=Examiner.of(stores, settings.issuer),
        initial_access_tokens=stores.initial_access_tokens,
        settings=settings,
    )
    app[RESOURCE_ADMINISTRATION] = ResourceAdministration(
        resources=stores.protected_resources,
        rules=ResourceRules(settings.issuer, settings.signing_algorithms),
    )
    yield


def mount(app: web.Application) -> None:
    """Add this service's routes. Closing registration leaves registered clients their configuration endpoint.

    Raises SettingsError.
    """
    app[STATEMENT_ISSUERS] = _statement_issuers(app[SETTINGS])
    need(app, stores, _recorded_settings, recent_refusals, fetcher, failed_authentications, _endpoints)
    refuse_with(app, bearer_error, [REGISTRATION, CLIENT_CONFIGURATION])
    if app[SETTINGS].registration != "closed":
        app.router.add_post(REGISTRATION.path, registering(register))
        cross_origin(app, [REGISTRATION, CLIENT_CONFIGURATION])
    app.router.add_get(CLIENT_CONFIGURATION.path, registering(show), allow_head=False)
    app.router.add_put(CLIENT_CONFIGURATION.path, registering(update))
    app.router.add_delete(CLIENT_CONFIGURATION.path, registering(delete))
    mount_administration(app)
