"""The authorization service: its routes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from aiohttp import web

from services.authorization.authentication.failures import failures
from services.authorization.authorize import Authorize
from services.authorization.client_documents.known_clients import known_clients
from services.authorization.client_logos import client_logo, client_logos
from services.authorization.endpoints import (
    ADD_SECOND_FACTOR_STEP,
    AUTHORIZE,
    CONSENT_STEP,
    DEVICE_STEP,
    LOGIN_STEP,
    LOGOUT_ENDPOINT,
    PUSH,
    SECOND_FACTOR_STEP,
    SELECT_ACCOUNT_STEP,
    SIGN_UP_STEP,
    endpoints,
)
from services.authorization.logout.end_session import EndSession
from services.authorization.logout.session_management import check_session
from services.authorization.pushed import Push, pushed_request_error
from services.authorization.request.storage_limits import storage_limits
from services.authorization.request.validated_request import RedirectableError
from services.authorization.steps.add_second_factor import AddSecondFactorStep
from services.authorization.steps.consent import ConsentStep
from services.authorization.steps.device import DeviceStep
from services.authorization.steps.login import LoginStep
from services.authorization.steps.out_of_band import out_of_band
from services.authorization.steps.second_factor import SecondFactorStep
from services.authorization.steps.select_account import SelectAccountStep
from services.authorization.steps.sent_mails import mail_folder, sent_mails
from services.authorization.steps.sign_up import SignUpStep
from services.authorization.steps.start import presets, start_view
from shared.browser.applications import applications
from shared.browser.cookies import Cookies
from shared.browser.language import language
from shared.browser.pages.assets import ASSETS, static
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
from shared.server.log.refusal import log_refusal
from shared.server.pages import PAGES, show_pages
from shared.server.recent_refusals import recent_refusals
from shared.server.resources import (
    STORES,
    client_keys,
    failed_authentications,
    fetcher,
    need,
    passwords,
    replay_marks,
    stores,
)
from shared.web.cors import cross_origin

Collaborators = TypeVar("Collaborators")
Endpoint = Callable[[Collaborators, web.Request], Awaitable[web.StreamResponse]]


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
    mails_href = SENT_MAILS.path if mail_folder(settings) else None
    view = replace(start_view(settings), applications=shown, presets=presets(settings), mails_href=mails_href)
    return pages.start(view, language(request, pages))


async def show_sent_mails(request: web.Request) -> web.Response:
    pages, settings = request.app[PAGES], request.app[SETTINGS]
    return pages.sent_mails(await asyncio.to_thread(sent_mails, settings), language(request, pages))


ACTING = frozenset({AUTHORIZATION, END_SESSION, LOGOUT})
"""Paths where GET begins or ends something. HEAD, which must be harmless, is refused there."""


def mount(app: web.Application) -> None:
    """Add this service's routes."""
    need(app, stores, recent_refusals, fetcher, client_keys, failed_authentications, replay_marks)
    need(app, passwords, storage_limits, failures, known_clients, client_logos, endpoints)
    cross_origin(app, [PUSHED_AUTHORIZATION_REQUEST])
    show_pages(app)
    shown = {
        AUTHORIZATION: _endpoint(AUTHORIZE, Authorize.get),
        LOGIN: _endpoint(LOGIN_STEP, LoginStep.get),
        SECOND_FACTOR: _endpoint(SECOND_FACTOR_STEP, SecondFactorStep.get),
        ADD_SECOND_FACTOR: _endpoint(ADD_SECOND_FACTOR_STEP, AddSecondFactorStep.get),
        SELECT_ACCOUNT: _endpoint(SELECT_ACCOUNT_STEP, SelectAccountStep.get),
        CONSENT: _endpoint(CONSENT_STEP, ConsentStep.get),
        DEVICE: _endpoint(DEVICE_STEP, DeviceStep.get),
        END_SESSION: _endpoint(LOGOUT_ENDPOINT, EndSession.get),
        LOGOUT: _endpoint(LOGOUT_ENDPOINT, EndSession.ask),
        LOGOUT_DONE: _endpoint(LOGOUT_ENDPOINT, EndSession.done),
        OUT_OF_BAND: show_code,
        STATIC: static,
        CLIENT_LOGO: client_logo,
    }
    if app[SETTINGS].session_management:
        shown |= {CHECK_SESSION: check_session_frame}
    if app[SETTINGS].root_aliases:
        shown |= {OUT_OF_BAND_ALIAS: show_code, START: start, START_SLASH: start, START_ALIAS: start}
        shown |= {SENT_MAILS: show_sent_mails}
    sent = {
        AUTHORIZATION: _endpoint(AUTHORIZE, Authorize.post),
        LOGIN: _endpoint(LOGIN_STEP, LoginStep.post),
        SECOND_FACTOR: _endpoint(SECOND_FACTOR_STEP, SecondFactorStep.post),
        ADD_SECOND_FACTOR: _endpoint(ADD_SECOND_FACTOR_STEP, AddSecondFactorStep.post),
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
