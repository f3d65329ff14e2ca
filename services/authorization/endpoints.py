"""The endpoints of the authorization service, made when a process starts."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from aiohttp import web

from services.authorization.authentication.throttling import SignUpThrottle
from services.authorization.authorize import Authorize
from services.authorization.client_documents.known_clients import KNOWN_CLIENTS
from services.authorization.collaborators import SharedCollaborators
from services.authorization.device.decisions import DeviceDecisions
from services.authorization.device.forms import DeviceForms
from services.authorization.device.sign_in import DeviceSignIn
from services.authorization.device.user_codes import UserCodes
from services.authorization.logout.end_session import EndSession
from services.authorization.logout.front_channel import FrontChannel
from services.authorization.logout.responses import LogoutResponses
from services.authorization.pushed import Push
from services.authorization.request.storage_limits import STORAGE_LIMITS
from services.authorization.steps.add_second_factor import AddSecondFactorStep
from services.authorization.steps.consent import ConsentStep
from services.authorization.steps.device import DeviceStep
from services.authorization.steps.login import LoginStep
from services.authorization.steps.second_factor import SecondFactorStep
from services.authorization.steps.select_account import SelectAccountStep
from services.authorization.steps.sign_up import SignUpStep
from shared.paths import PUSHED_AUTHORIZATION_REQUEST
from shared.server.resources import CLIENTS, KEYRING, PROTECTED_RESOURCES, client_authentication

AUTHORIZE = web.AppKey("AUTHORIZE", Authorize)
PUSH = web.AppKey("PUSH", Push)
LOGIN_STEP = web.AppKey("LOGIN_STEP", LoginStep)
SIGN_UP_STEP = web.AppKey("SIGN_UP_STEP", SignUpStep)
SECOND_FACTOR_STEP = web.AppKey("SECOND_FACTOR_STEP", SecondFactorStep)
ADD_SECOND_FACTOR_STEP = web.AppKey("ADD_SECOND_FACTOR_STEP", AddSecondFactorStep)
SELECT_ACCOUNT_STEP = web.AppKey("SELECT_ACCOUNT_STEP", SelectAccountStep)
CONSENT_STEP = web.AppKey("CONSENT_STEP", ConsentStep)
DEVICE_STEP = web.AppKey("DEVICE_STEP", DeviceStep)
LOGOUT_ENDPOINT = web.AppKey("LOGOUT_ENDPOINT", EndSession)


async def endpoints(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context: every endpoint under its key. Needs PAGES and the shared resources."""
    shared = SharedCollaborators(app)
    app[AUTHORIZE] = _authorize(shared)
    app[PUSH] = _push(shared, app)
    app[LOGIN_STEP] = _login(shared)
    app[SIGN_UP_STEP] = _sign_up(shared)
    app[SECOND_FACTOR_STEP] = _second_factor(shared)
    app[ADD_SECOND_FACTOR_STEP] = _add_second_factor(shared)
    app[SELECT_ACCOUNT_STEP] = _select_account(shared)
    app[CONSENT_STEP] = _consent(shared, app)
    app[DEVICE_STEP] = _device(shared, app)
    app[LOGOUT_ENDPOINT] = _logout(shared, app)
    yield


def _authorize(shared: SharedCollaborators) -> Authorize:
    return Authorize(
        reader=shared.reader,
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        responder=shared.responder,
        posted=shared.posted,
        cookies=shared.cookies,
    )


def _push(shared: SharedCollaborators, app: web.Application) -> Push:
    return Push(
        reader=shared.reader,
        source=shared.source,
        authentication=client_authentication(app, app[KNOWN_CLIENTS], PUSHED_AUTHORIZATION_REQUEST),
        pushed_requests=shared.stores.pushed_requests,
        limits=app[STORAGE_LIMITS],
        interaction_lifetime=shared.settings.interaction_lifetime,
    )


def _login(shared: SharedCollaborators) -> LoginStep:
    return LoginStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        authentication=shared.password,
        passkeys=shared.passkeys,
        sign_in=shared.sign_in,
        pages=shared.pages,
        may_sign_up=shared.settings.may_sign_up,
        has_mail=shared.settings.mail_server is not None,
    )


def _sign_up(shared: SharedCollaborators) -> SignUpStep:
    return SignUpStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        sign_in=shared.sign_in,
        pages=shared.pages,
        users=shared.stores.users,
        passwords=shared.passwords,
        throttle=SignUpThrottle(shared.stores.counters, shared.settings.rate_limits),
    )


def _second_factor(shared: SharedCollaborators) -> SecondFactorStep:
    return SecondFactorStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        authentication=shared.second_factor,
        passkeys=shared.passkeys,
        sign_in=shared.sign_in,
        pages=shared.pages,
        may_remember=shared.settings.second_factor == "optional",
    )


def _add_second_factor(shared: SharedCollaborators) -> AddSecondFactorStep:
    return AddSecondFactorStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        authentication=shared.second_factor,
        sign_in=shared.sign_in,
        pages=shared.pages,
        host=urlsplit(shared.settings.issuer).hostname or "",
    )


def _select_account(shared: SharedCollaborators) -> SelectAccountStep:
    return SelectAccountStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        sessions=shared.stores.sessions,
        cookies=shared.cookies,
        pages=shared.pages,
    )


def _consent(shared: SharedCollaborators, app: web.Application) -> ConsentStep:
    return ConsentStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        responder=shared.responder,
        known_clients=app[KNOWN_CLIENTS],
        consents=shared.stores.consents,
        cookies=shared.cookies,
        pages=shared.pages,
    )


def _device(shared: SharedCollaborators, app: web.Application) -> DeviceStep:
    stores, settings = shared.stores, shared.settings
    forms = DeviceForms(shared.cookies, tuple(key.get_secret_value() for key in settings.secret_key))
    return DeviceStep(
        settings=settings,
        active_sessions=shared.active_sessions,
        sign_in=DeviceSignIn(
            settings=settings,
            passwords=shared.password,
            passkeys=shared.passkeys,
            second_factors=shared.second_factor,
            cookies=shared.cookies,
            forms=forms,
            pages=shared.pages,
        ),
        new_sessions=shared.new_sessions,
        cookies=shared.cookies,
        forms=forms,
        pages=shared.pages,
        user_codes=UserCodes(
            device_codes=stores.device_codes,
            clients=app[CLIENTS],
            resources=app[PROTECTED_RESOURCES],
            counters=stores.counters,
            is_limited=settings.rate_limits,
        ),
        decisions=DeviceDecisions(stores.device_codes, stores.consents),
    )


def _logout(shared: SharedCollaborators, app: web.Application) -> EndSession:
    sessions, settings = shared.stores.sessions, shared.settings
    return EndSession(
        settings=settings,
        clients=app[CLIENTS],
        keyring=app[KEYRING],
        sessions=sessions,
        posted=shared.posted,
        front_channel=FrontChannel(settings.issuer, sessions, app[CLIENTS]),
        cookies=shared.cookies,
        responses=LogoutResponses(shared.pages, shared.cookies),
    )
