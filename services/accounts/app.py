"""The accounts service: its routes."""

from collections.abc import Iterator

from aiohttp import web

from services.accounts.administration.collaborators import administration
from services.accounts.administration.routes import mount_administration
from services.accounts.endpoints import ENDPOINTS, AccountEndpoints, endpoints
from services.accounts.page_routes import FormRoute, PageRoute, add_page_routes
from shared.config.settings import Settings
from shared.paths import (
    ACCOUNT,
    ACCOUNT_ACTIVITY,
    ACCOUNT_CONNECTIONS,
    ACCOUNT_DATA,
    ACCOUNT_EMAIL,
    ACCOUNT_FORGOTTEN,
    ACCOUNT_PASSKEYS,
    ACCOUNT_PASSWORD,
    ACCOUNT_PROFILE,
    ACCOUNT_RECOVERY,
    ACCOUNT_SECOND_FACTOR,
    ACCOUNT_SESSIONS,
    ACCOUNT_TOKENS,
)
from shared.server.app import SETTINGS
from shared.server.http.routes import Route, add_routes
from shared.server.pages import show_pages
from shared.server.resources import need, passwords, stores

_RECOVERY: tuple[Route[AccountEndpoints], ...] = (
    Route(ACCOUNT_FORGOTTEN, lambda to: to.forgotten.get, lambda to: to.forgotten.post),
    Route(ACCOUNT_RECOVERY, lambda to: to.recovery.get, lambda to: to.recovery.post),
)


def _pages(settings: Settings) -> Iterator[PageRoute]:
    """The pages for users who are signed in."""
    has_mail, has_second_factors = settings.mail_server is not None, settings.has_second_factors
    yield PageRoute(ACCOUNT, lambda to: to.overview)
    yield FormRoute(ACCOUNT_PROFILE, lambda to: to.profile)
    yield FormRoute(ACCOUNT_SESSIONS, lambda to: to.sessions)
    yield FormRoute(ACCOUNT_CONNECTIONS, lambda to: to.connections)
    yield PageRoute(ACCOUNT_ACTIVITY, lambda to: to.activity)
    yield FormRoute(ACCOUNT_PASSWORD, lambda to: to.password, is_sensitive=True, is_held=True)
    yield FormRoute(ACCOUNT_EMAIL, lambda to: to.email, is_sensitive=True, is_offered=has_mail, is_held=True)
    yield FormRoute(ACCOUNT_PASSKEYS, lambda to: to.passkeys, is_sensitive=True, is_held=True)
    yield FormRoute(
        ACCOUNT_SECOND_FACTOR,
        lambda to: to.second_factor,
        is_sensitive=True,
        is_offered=has_second_factors,
        is_held=True,
    )
    yield FormRoute(ACCOUNT_TOKENS, lambda to: to.tokens, is_sensitive=True, is_held=True)
    yield FormRoute(ACCOUNT_DATA, lambda to: to.data, is_sensitive=True)


def mount(app: web.Application) -> None:
    """Add this service's routes."""
    need(app, stores, passwords, endpoints, administration)
    show_pages(app)
    add_page_routes(app, _pages(app[SETTINGS]))
    add_routes(app, ENDPOINTS, _RECOVERY)
    mount_administration(app)
