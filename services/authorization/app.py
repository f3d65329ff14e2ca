"""The authorization service: routes, and what its endpoints share."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from aiohttp import web

from services.authorization.authentication.throttling import SignUpThrottle, Throttle
from services.authorization.authorize import Authorize
from services.authorization.interaction.asked import Refused
from services.authorization.interaction.context import Desk
from services.authorization.interaction.way_back import way_back
from services.authorization.logout.end_session import EndSession
from services.authorization.logout.front_channel import FrontChannel
from services.authorization.logout.session_management import check_session
from services.authorization.pushed import Push, pushed_request_error
from services.authorization.request.authorization_request import Deployment
from services.authorization.request.parameter_source import Intake
from services.authorization.request.posted import PostedRequests
from services.authorization.request.storage_limits import STORAGE_LIMITS, storage_limits
from services.authorization.response.builder import Answers
from services.authorization.steps.consent import AskConsent
from services.authorization.steps.device import DevicePage
from services.authorization.steps.login import SignIn
from services.authorization.steps.out_of_band import out_of_band
from services.authorization.steps.select_account import ChooseAccount
from services.authorization.steps.sign_up import SignUp
from services.authorization.steps.start import applications, start_view
from services.authorization.steps.user_codes import UserCodes
from shared.browser.cookies import Cookies
from shared.browser.errors import Expired, Strange
from shared.browser.language import language
from shared.browser.pages import ClientView, ErrorView, Pages
from shared.browser.pages.assets import ASSETS, static
from shared.identity.passwords import Passwords
from shared.issuing.client_authentication import ClientAuthentication, assertion_audiences
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.oauth.errors import InvalidRequest, OAuthError
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
from shared.server.log.configuration import REQUEST_ID
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

PAGES = web.AppKey("PAGES", Pages)
PUSH = web.AppKey("PUSH", Push)
CHOOSE_ACCOUNT = web.AppKey("CHOOSE_ACCOUNT", ChooseAccount)
AUTHORIZE = web.AppKey("AUTHORIZE", Authorize)
SIGN_IN = web.AppKey("SIGN_IN", SignIn)
ADD_USER = web.AppKey("ADD_USER", SignUp)
DEVICE_PAGE = web.AppKey("DEVICE_PAGE", DevicePage)
ASK_CONSENT = web.AppKey("ASK_CONSENT", AskConsent)
END = web.AppKey("END", EndSession)

Steps = TypeVar("Steps")
Step = Callable[[Steps, web.Request], Awaitable[web.StreamResponse]]

_HTTP_ERRORS = {404: "not_found", 405: "method_not_allowed"}


async def _endpoints(app: web.Application) -> AsyncIterator[None]:
    settings, opened, pages = app[SETTINGS], app[STORES], app[PAGES]
    cookies, passwords = Cookies.of(settings), Passwords()
    tokens = TokenIssuer(settings, app[KEYRING])
    encryption = Encryption(app[CLIENT_KEYS])
    desk = Desk(
        settings,
        Deployment.of(settings),
        app[CLIENTS],
        app[KEYRING],
        tokens,
        opened.sessions,
        opened.interactions,
        opened.pushed_requests,
        Intake(settings, opened.pushed_requests, app[CLIENT_KEYS], app[FETCHER].get_text),
        Answers(settings, opened.codes, opened.pushed_requests, opened.grants, tokens, encryption),
        pages,
        cookies,
    )
    audiences = assertion_audiences(settings.issuer, PUSHED_AUTHORIZATION_REQUEST)
    authentication = ClientAuthentication(
        app[CLIENTS], app[CLIENT_KEYS], opened.replay_marks, audiences, app[FAILED_AUTHENTICATIONS]
    )
    app[PUSH] = Push(desk, authentication, opened.pushed_requests, app[STORAGE_LIMITS])
    with suppress(Unavailable):  # the first assertion will begin them
        await opened.replay_marks.begin()
    posted = PostedRequests(opened.interactions, opened.counters, settings.rate_limits)
    app[AUTHORIZE] = Authorize(desk, posted, app[STORAGE_LIMITS])
    app[SIGN_IN] = SignIn(desk, opened.users, passwords, Throttle(opened.counters, settings.rate_limits))
    sign_ups = SignUpThrottle(opened.counters, settings.rate_limits)
    app[ADD_USER] = SignUp(desk, app[SIGN_IN], opened.users, passwords, sign_ups)
    app[CHOOSE_ACCOUNT] = ChooseAccount(desk)
    user_codes = UserCodes(opened.device_codes, app[CLIENTS], opened.counters, settings.rate_limits)
    app[DEVICE_PAGE] = DevicePage(desk, app[SIGN_IN], opened.device_codes, user_codes, opened.consents)
    app[ASK_CONSENT] = AskConsent(desk, opened.consents)
    front_channel = FrontChannel(settings.issuer, opened.sessions, app[CLIENTS])
    app[END] = EndSession(
        settings, app[CLIENTS], app[KEYRING], opened.sessions, posted, front_channel, pages, cookies
    )
    yield
    passwords.close()


def _error_page(request: web.Request, error: OAuthError | web.HTTPException) -> web.StreamResponse:
    pages = request.app[PAGES]
    locale, request_id = language(request, pages), REQUEST_ID.get(None)
    if isinstance(error, OAuthError):
        view = ErrorView(error.error, error.description, request_id)
        if isinstance(error, Expired | Strange):
            view = _with_a_way_back(view, error, request.app[SETTINGS].issuer)
        return pages.error(view, locale, error.status)
    name = _HTTP_ERRORS.get(error.status, InvalidRequest.error)
    response = pages.error(ErrorView(name, None, request_id), locale, error.status)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _with_a_way_back(view: ErrorView, error: Expired | Strange, issuer: str) -> ErrorView:
    if error.again:
        return replace(view, back_href=error.again)
    if error.client and (href := way_back(error.client, issuer)):
        return replace(view, back_href=href, client=ClientView.of(error.client))
    return view


def _step(steps: web.AppKey[Steps], step: Step[Steps]) -> Handler:
    """The handler of one step, which may send a fault that it finds after the callback to the client."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await step(request.app[steps], request)
        except Refused as refused:
            return refused.callback.refuse(refused.error, request.app[PAGES], refused.locale)

    return answer


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
"""Where GET begins or ends something. HEAD, which nobody expects to, is refused there."""


def mount(app: web.Application) -> None:
    """Add this service's routes."""
    need(app, stores, fetcher, client_keys, failed_authentications, storage_limits, _endpoints)
    cross_origin(app, [PUSHED_AUTHORIZATION_REQUEST])
    app[PAGES] = pages = Pages.load(app[SETTINGS], app)
    app[ASSETS] = pages.assets
    app[ERROR_PAGE] = _error_page
    shown = {
        AUTHORIZATION: _step(AUTHORIZE, Authorize.get),
        LOGIN: _step(SIGN_IN, SignIn.get),
        SELECT_ACCOUNT: _step(CHOOSE_ACCOUNT, ChooseAccount.get),
        CONSENT: _step(ASK_CONSENT, AskConsent.get),
        DEVICE: _step(DEVICE_PAGE, DevicePage.get),
        END_SESSION: _step(END, EndSession.get),
        LOGOUT: _step(END, EndSession.ask),
        LOGOUT_DONE: _step(END, EndSession.done),
        OUT_OF_BAND: show_code,
        STATIC: static,
    }
    if app[SETTINGS].session_management:
        shown |= {CHECK_SESSION: check_session_frame}
    if app[SETTINGS].root_aliases:
        shown |= {OUT_OF_BAND_ALIAS: show_code, START: start, START_SLASH: start, START_ALIAS: start}
    sent = {
        AUTHORIZATION: _step(AUTHORIZE, Authorize.post),
        LOGIN: _step(SIGN_IN, SignIn.post),
        SELECT_ACCOUNT: _step(CHOOSE_ACCOUNT, ChooseAccount.post),
        CONSENT: _step(ASK_CONSENT, AskConsent.post),
        DEVICE: _step(DEVICE_PAGE, DevicePage.post),
        END_SESSION: _step(END, EndSession.post),
        LOGOUT: _step(END, EndSession.confirm),
    }
    if app[SETTINGS].may_sign_up:
        shown |= {SIGN_UP: _step(ADD_USER, SignUp.get)}
        sent |= {SIGN_UP: _step(ADD_USER, SignUp.post)}
    for path, handler in shown.items():
        app.router.add_get(path.path, handler, allow_head=path not in ACTING)
    for path, handler in sent.items():
        app.router.add_post(path.path, handler)
    app.router.add_post(PUSHED_AUTHORIZATION_REQUEST.path, _step(PUSH, Push.post))
    refuse_with(app, pushed_request_error, [PUSHED_AUTHORIZATION_REQUEST])
