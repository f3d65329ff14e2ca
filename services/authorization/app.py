"""The authorization service: its routes."""

from collections.abc import Iterator

from aiohttp import web

from services.authorization.client_logos import client_logo, client_logos
from services.authorization.logout.session_management import check_session
from services.authorization.pages.out_of_band import out_of_band
from services.authorization.pages.sent_mails import show_sent_mails
from services.authorization.pages.start import start
from services.authorization.pushed import pushed_request_error
from services.authorization.request.storage_limits import storage_limits
from services.authorization.request.validated_request import RedirectableError
from services.authorization.wiring.endpoints import ENDPOINTS, AuthorizationEndpoints, endpoints
from services.authorization.wiring.failures import failures
from services.authorization.wiring.known_clients import known_clients
from shared.browser.pages.assets import static
from shared.config.settings import Settings
from shared.paths import (
    ADD_SECOND_FACTOR,
    AUTHORIZATION,
    CHECK_SESSION,
    CLIENT_LOGO,
    CONSENT,
    DEVICE,
    END_SESSION,
    LOGIN,
    LOGOUT,
    LOGOUT_DONE,
    OUT_OF_BAND,
    OUT_OF_BAND_ALIAS,
    PUSHED_AUTHORIZATION_REQUEST,
    REPLACE_PASSWORD,
    SECOND_FACTOR,
    SELECT_ACCOUNT,
    SENT_MAILS,
    SIGN_UP,
    START,
    START_ALIAS,
    START_SLASH,
    STATIC,
)
from shared.server.app import SETTINGS, Handler, refuse_with
from shared.server.http.routes import Route, add_routes
from shared.server.log.refusal import log_refusal
from shared.server.pages import PAGES, show_pages
from shared.server.recent_refusals import recent_refusals
from shared.server.resources import (
    client_keys,
    failed_authentications,
    fetcher,
    need,
    passwords,
    replay_marks,
    stores,
)
from shared.web.cors import cross_origin

_ROUTES: tuple[Route[AuthorizationEndpoints], ...] = (
    Route(AUTHORIZATION, lambda to: to.authorize.get, lambda to: to.authorize.post, acts=True),
    Route(PUSHED_AUTHORIZATION_REQUEST, post=lambda to: to.push.post),
    Route(LOGIN, lambda to: to.login.get, lambda to: to.login.post),
    Route(SECOND_FACTOR, lambda to: to.second_factor.get, lambda to: to.second_factor.post),
    Route(ADD_SECOND_FACTOR, lambda to: to.add_second_factor.get, lambda to: to.add_second_factor.post),
    Route(REPLACE_PASSWORD, lambda to: to.replace_password.get, lambda to: to.replace_password.post),
    Route(SELECT_ACCOUNT, lambda to: to.select_account.get, lambda to: to.select_account.post),
    Route(CONSENT, lambda to: to.consent.get, lambda to: to.consent.post),
    Route(DEVICE, lambda to: to.device.get, lambda to: to.device.post),
    Route(END_SESSION, lambda to: to.logout.get, lambda to: to.logout.post, acts=True),
    Route(LOGOUT, lambda to: to.logout.ask, lambda to: to.logout.confirm, acts=True),
    Route(LOGOUT_DONE, lambda to: to.logout.done),
    Route(OUT_OF_BAND, lambda _: out_of_band),
    Route(STATIC, lambda _: static),
    Route(CLIENT_LOGO, lambda _: client_logo),
)

_ROOT_ROUTES: tuple[Route[AuthorizationEndpoints], ...] = (
    Route(OUT_OF_BAND_ALIAS, lambda _: out_of_band),
    Route(START, lambda _: start),
    Route(START_SLASH, lambda _: start),
    Route(START_ALIAS, lambda _: start),
    Route(SENT_MAILS, lambda _: show_sent_mails),
)


def _routes(settings: Settings) -> Iterator[Route[AuthorizationEndpoints]]:
    """The routes of a deployment."""
    yield from _ROUTES
    if settings.session_management:
        yield Route(CHECK_SESSION, lambda _: check_session)
    if settings.root_aliases:
        yield from _ROOT_ROUTES
    if settings.may_sign_up:
        yield Route(SIGN_UP, lambda to: to.sign_up.get, lambda to: to.sign_up.post)


def _redirecting(handler: Handler) -> Handler:
    """Send the errors of *handler* to the client once its redirect URI is valid."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except RedirectableError as redirectable:
            log_refusal(request, redirectable.error)
            return redirectable.callback.refuse(redirectable.error, request.app[PAGES], redirectable.locale)

    return handle


def mount(app: web.Application) -> None:
    """Add this service's routes."""
    need(app, stores, recent_refusals, fetcher, client_keys, failed_authentications, replay_marks)
    need(app, passwords, storage_limits, failures, known_clients, client_logos, endpoints)
    cross_origin(app, [PUSHED_AUTHORIZATION_REQUEST])
    show_pages(app)
    add_routes(app, ENDPOINTS, _routes(app[SETTINGS]), _redirecting)
    refuse_with(app, pushed_request_error, [PUSHED_AUTHORIZATION_REQUEST])
