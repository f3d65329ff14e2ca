"""The authorization service: routes, and what its endpoints share."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from aiohttp import web

from services.authorization.authentication.active_session import ActiveSessions
from services.authorization.authentication.new_session import NewSessions
from services.authorization.authentication.password import PasswordAuthentication
from services.authorization.authentication.throttling import PasswordThrottle, SignUpThrottle
from services.authorization.authentication.user_codes import UserCodes
from services.authorization.authorize import Authorize
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.sign_in import InteractionSignIn
from services.authorization.logout.end_session import EndSession
from services.authorization.logout.front_channel import FrontChannel
from services.authorization.logout.responses import LogoutResponses
from services.authorization.logout.session_management import check_session
from services.authorization.pushed import Push, pushed_request_error
from services.authorization.request.authorization_request import Deployment
from services.authorization.request.parameter_source import ParameterSource
from services.authorization.request.posted import PostedRequests
from services.authorization.request.reader import RequestReader
from services.authorization.request.storage_limits import STORAGE_LIMITS, storage_limits
from services.authorization.request.validated_request import RedirectableError
from services.authorization.response.builder import ResponseBuilder
from services.authorization.response.error_page import PAGES, error_page
from services.authorization.response.responder import Responder
from services.authorization.steps.consent import ConsentStep
from services.authorization.steps.device import DeviceStep
from services.authorization.steps.login import LoginStep
from services.authorization.steps.out_of_band import out_of_band
from services.authorization.steps.select_account import SelectAccountStep
from services.authorization.steps.sign_up import SignUpStep
from services.authorization.steps.start import applications, start_view
from shared.browser.cookies import Cookies
from shared.browser.language import language
from shared.browser.pages import Pages
from shared.browser.pages.assets import ASSETS, static
from shared.identity.passwords import Passwords
from shared.issuing.client_authentication import ClientAuthentication, assertion_audiences
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.paths import (
    AUTHORIZATION,
    CHECK_SESSION,
    CONSENT,
    DEVICE,
    END_SESSION,
    LOGIN,
    LOGOUT,
    LOGOUT_DONE,
    OUT_OF_BAND,
    OUT_OF_BAND_ALIAS,
    PUSHED_AUTHORIZATION_REQUEST,
    SELECT_ACCOUNT,
    SIGN_UP,
    START,
    START_ALIAS,
    START_SLASH,
    STATIC,
)
from shared.server.app import ERROR_PAGE, SETTINGS, Handler, refuse_with
from shared.server.log.refusal import log_refusal
from shared.server.recent_refusals import recent_refusals
from shared.server.resources import (
    CLIENT_KEYS,
    CLIENTS,
    FAILED_AUTHENTICATIONS,
    FETCHER,
    KEYRING,
    STORES,
    client_keys,
    failed_authentications,
    fetcher,
    need,
    stores,
)
from shared.store import Unavailable
from shared.web.cors import cross_origin

PUSH = web.AppKey("PUSH", Push)
AUTHORIZE = web.AppKey("AUTHORIZE", Authorize)
LOGIN_STEP = web.AppKey("LOGIN_STEP", LoginStep)
SIGN_UP_STEP = web.AppKey("SIGN_UP_STEP", SignUpStep)
SELECT_ACCOUNT_STEP = web.AppKey("SELECT_ACCOUNT_STEP", SelectAccountStep)
CONSENT_STEP = web.AppKey("CONSENT_STEP", ConsentStep)
DEVICE_STEP = web.AppKey("DEVICE_STEP", DeviceStep)
LOGOUT_ENDPOINT = web.AppKey("LOGOUT_ENDPOINT", EndSession)

Collaborators = TypeVar("Collaborators")
Endpoint = Callable[[Collaborators, web.Request], Awaitable[web.StreamResponse]]


async def _endpoints(app: web.Application) -> AsyncIterator[None]:
    settings, opened, pages = app[SETTINGS], app[STORES], app[PAGES]
    cookies, passwords = Cookies.of(settings), Passwords()
    tokens, deployment = TokenIssuer(settings, app[KEYRING]), Deployment.of(settings)
    source = ParameterSource(settings, opened.pushed_requests, app[CLIENT_KEYS], app[FETCHER].get_text)
    reader = RequestReader(
        deployment=deployment,
        clients=app[CLIENTS],
        keyring=app[KEYRING],
        tokens=tokens,
        source=source,
        pages=pages,
    )
    lifecycle = InteractionLifecycle(
        interactions=opened.interactions,
        pushed_requests=opened.pushed_requests,
        reader=reader,
        cookies=cookies,
        limits=app[STORAGE_LIMITS],
        lifetime=settings.interaction_lifetime,
    )
    active_sessions = ActiveSessions(cookies, opened.sessions)
    dispatcher = Dispatcher(active_sessions, tokens)
    builder = ResponseBuilder(
        settings,
        opened.codes,
        opened.pushed_requests,
        opened.grants,
        tokens,
        Encryption(app[CLIENT_KEYS]),
    )
    responder = Responder(builder, pages, settings.session_management)
    posted = PostedRequests(opened.interactions, opened.counters, settings.rate_limits)
    authentication = PasswordAuthentication(
        credentials=opened.credentials,
        passwords=passwords,
        throttle=PasswordThrottle(opened.counters, settings.rate_limits),
        sessions=opened.sessions,
    )
    new_sessions = NewSessions(opened.sessions, cookies, settings.session_lifetime)
    sign_in = InteractionSignIn(new_sessions, lifecycle)

    app[PUSH] = Push(
        reader=reader,
        source=source,
        authentication=ClientAuthentication(
            app[CLIENTS],
            app[CLIENT_KEYS],
            opened.replay_marks,
            assertion_audiences(settings.issuer, PUSHED_AUTHORIZATION_REQUEST),
            app[FAILED_AUTHENTICATIONS],
        ),
        pushed_requests=opened.pushed_requests,
        limits=app[STORAGE_LIMITS],
        interaction_lifetime=settings.interaction_lifetime,
    )
    with suppress(Unavailable):  # otherwise the first assertion begins them
        await opened.replay_marks.begin()
    app[AUTHORIZE] = Authorize(
        reader=reader,
        lifecycle=lifecycle,
        dispatcher=dispatcher,
        responder=responder,
        posted=posted,
        cookies=cookies,
    )
    app[LOGIN_STEP] = LoginStep(
        settings=settings,
        lifecycle=lifecycle,
        dispatcher=dispatcher,
        authentication=authentication,
        sign_in=sign_in,
        pages=pages,
    )
    app[SIGN_UP_STEP] = SignUpStep(
        settings=settings,
        lifecycle=lifecycle,
        dispatcher=dispatcher,
        sign_in=sign_in,
        pages=pages,
        users=opened.users,
        passwords=passwords,
        throttle=SignUpThrottle(opened.counters, settings.rate_limits),
    )
    app[SELECT_ACCOUNT_STEP] = SelectAccountStep(
        settings=settings,
        lifecycle=lifecycle,
        dispatcher=dispatcher,
        sessions=opened.sessions,
        cookies=cookies,
        pages=pages,
    )
    app[CONSENT_STEP] = ConsentStep(
        settings=settings,
        lifecycle=lifecycle,
        dispatcher=dispatcher,
        responder=responder,
        consents=opened.consents,
        cookies=cookies,
        pages=pages,
    )
    app[DEVICE_STEP] = DeviceStep(
        settings=settings,
        active_sessions=active_sessions,
        authentication=authentication,
        new_sessions=new_sessions,
        cookies=cookies,
        pages=pages,
        device_codes=opened.device_codes,
        user_codes=UserCodes(opened.device_codes, app[CLIENTS], opened.counters, settings.rate_limits),
        consents=opened.consents,
    )
    app[LOGOUT_ENDPOINT] = EndSession(
        settings=settings,
        clients=app[CLIENTS],
        keyring=app[KEYRING],
        sessions=opened.sessions,
        posted=posted,
        front_channel=FrontChannel(settings.issuer, opened.sessions, app[CLIENTS]),
        cookies=cookies,
        responses=LogoutResponses(pages, cookies),
    )
    yield
    passwords.close()


def _endpoint(key: web.AppKey[Collaborators], endpoint: Endpoint[Collaborators]) -> Handler:
    """The handler of an endpoint, which sends redirectable errors to the client."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await endpoint(request.app[key], request)
        except RedirectableError as redirectable:
            log_refusal(request, redirectable.error)
            return redirectable.callback.refuse(redirectable.error, request.app[PAGES], redirectable.locale)

    return handle


async def check_session_frame(request: web.Request) -> web.Response:
    return check_session(request.app[ASSETS], str(Cookies.of(request.app[SETTINGS]).state))


async def show_code(request: web.Request) -> web.Response:
    return await out_of_band(request, request.app[PAGES])


async def start(request: web.Request) -> web.Response:
    pages, settings = request.app[PAGES], request.app[SETTINGS]
    shown = await applications(request.app[STORES].clients, settings.issuer)
    view = replace(start_view(settings), applications=shown)
    return pages.start(view, language(request, pages))


ACTING = frozenset({AUTHORIZATION, END_SESSION, LOGOUT})
"""Paths where GET begins or ends something. HEAD, which must be harmless, is refused there."""


def mount(app: web.Application) -> None:
    """Add this service's routes."""
    need(app, stores, recent_refusals, fetcher, client_keys, failed_authentications, storage_limits)
    need(app, _endpoints)
    cross_origin(app, [PUSHED_AUTHORIZATION_REQUEST])
    app[PAGES] = pages = Pages.load(app[SETTINGS], app)
    app[ASSETS] = pages.assets
    app[ERROR_PAGE] = error_page
    shown = {
        AUTHORIZATION: _endpoint(AUTHORIZE, Authorize.get),
        LOGIN: _endpoint(LOGIN_STEP, LoginStep.get),
        SELECT_ACCOUNT: _endpoint(SELECT_ACCOUNT_STEP, SelectAccountStep.get),
        CONSENT: _endpoint(CONSENT_STEP, ConsentStep.get),
        DEVICE: _endpoint(DEVICE_STEP, DeviceStep.get),
        END_SESSION: _endpoint(LOGOUT_ENDPOINT, EndSession.get),
        LOGOUT: _endpoint(LOGOUT_ENDPOINT, EndSession.ask),
        LOGOUT_DONE: _endpoint(LOGOUT_ENDPOINT, EndSession.done),
        OUT_OF_BAND: show_code,
        STATIC: static,
    }
    if app[SETTINGS].session_management:
        shown |= {CHECK_SESSION: check_session_frame}
    if app[SETTINGS].root_aliases:
        shown |= {OUT_OF_BAND_ALIAS: show_code, START: start, START_SLASH: start, START_ALIAS: start}
    sent = {
        AUTHORIZATION: _endpoint(AUTHORIZE, Authorize.post),
        LOGIN: _endpoint(LOGIN_STEP, LoginStep.post),
        SELECT_ACCOUNT: _endpoint(SELECT_ACCOUNT_STEP, SelectAccountStep.post),
        CONSENT: _endpoint(CONSENT_STEP, ConsentStep.post),
        DEVICE: _endpoint(DEVICE_STEP, DeviceStep.post),
        END_SESSION: _endpoint(LOGOUT_ENDPOINT, EndSession.post),
        LOGOUT: _endpoint(LOGOUT_ENDPOINT, EndSession.confirm),
    }
    if app[SETTINGS].may_sign_up:
        shown |= {SIGN_UP: _endpoint(SIGN_UP_STEP, SignUpStep.get)}
        sent |= {SIGN_UP: _endpoint(SIGN_UP_STEP, SignUpStep.post)}
    for path, handler in shown.items():
        app.router.add_get(path.path, handler, allow_head=path not in ACTING)
    for path, handler in sent.items():
        app.router.add_post(path.path, handler)
    app.router.add_post(PUSHED_AUTHORIZATION_REQUEST.path, _endpoint(PUSH, Push.post))
    refuse_with(app, pushed_request_error, [PUSHED_AUTHORIZATION_REQUEST])
