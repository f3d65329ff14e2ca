"""The endpoints of the authorization service, made from the shared resources when a process starts."""

from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from services.authorization.authentication.new_session import NewSessions
from services.authorization.authentication.passkey import PasskeyAuthentication
from services.authorization.authentication.password import PasswordAuthentication
from services.authorization.authentication.second_factor import SecondFactorAuthentication
from services.authorization.authentication.throttling import (
    PasswordThrottle,
    SecondFactorThrottle,
    SignUpThrottle,
)
from services.authorization.authorize import Authorize
from services.authorization.client_documents.known_clients import KNOWN_CLIENTS
from services.authorization.device.decisions import DeviceDecisions
from services.authorization.device.forms import DeviceForms
from services.authorization.device.user_codes import UserCodes
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.sign_in import InteractionSignIn
from services.authorization.logout.end_session import EndSession
from services.authorization.logout.front_channel import FrontChannel
from services.authorization.logout.responses import LogoutResponses
from services.authorization.pushed import Push
from services.authorization.request.authorization_request import Deployment
from services.authorization.request.parameter_source import ParameterSource
from services.authorization.request.posted import PostedRequests
from services.authorization.request.reader import RequestReader
from services.authorization.request.storage_limits import STORAGE_LIMITS
from services.authorization.response.builder import ResponseBuilder
from services.authorization.response.responder import Responder
from services.authorization.steps.consent import ConsentStep
from services.authorization.steps.device import DeviceStep
from services.authorization.steps.login import LoginStep
from services.authorization.steps.second_factor import SecondFactorStep
from services.authorization.steps.select_account import SelectAccountStep
from services.authorization.steps.sign_up import SignUpStep
from shared.browser.active_session import ActiveSessions
from shared.browser.cookies import Cookies
from shared.identity.passkeys.challenge import Challenges
from shared.identity.passkeys.passkey import RelyingParty
from shared.identity.passwords import Passwords
from shared.issuing.client_authentication import ClientAuthentication, assertion_audiences
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.paths import (
    PUSHED_AUTHORIZATION_REQUEST,
)
from shared.server.app import SETTINGS
from shared.server.pages import PAGES
from shared.server.resources import (
    CLIENT_KEYS,
    CLIENTS,
    FAILED_AUTHENTICATIONS,
    FETCHER,
    KEYRING,
    PROTECTED_RESOURCES,
    STORES,
)
from shared.store import Unavailable

PUSH = web.AppKey("PUSH", Push)
AUTHORIZE = web.AppKey("AUTHORIZE", Authorize)
LOGIN_STEP = web.AppKey("LOGIN_STEP", LoginStep)
SECOND_FACTOR_STEP = web.AppKey("SECOND_FACTOR_STEP", SecondFactorStep)
SIGN_UP_STEP = web.AppKey("SIGN_UP_STEP", SignUpStep)
SELECT_ACCOUNT_STEP = web.AppKey("SELECT_ACCOUNT_STEP", SelectAccountStep)
CONSENT_STEP = web.AppKey("CONSENT_STEP", ConsentStep)
DEVICE_STEP = web.AppKey("DEVICE_STEP", DeviceStep)
LOGOUT_ENDPOINT = web.AppKey("LOGOUT_ENDPOINT", EndSession)


async def endpoints(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context: every endpoint under its key. Needs PAGES and the shared resources."""
    settings, opened, pages = app[SETTINGS], app[STORES], app[PAGES]
    cookies, passwords = Cookies.of(settings), Passwords()
    tokens, deployment = TokenIssuer(settings, app[KEYRING]), Deployment.of(settings)
    source = ParameterSource(settings, opened.pushed_requests, app[CLIENT_KEYS], app[FETCHER].get_text)
    reader = RequestReader(
        deployment=deployment,
        known_clients=app[KNOWN_CLIENTS],
        keyring=app[KEYRING],
        resources=app[PROTECTED_RESOURCES],
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
    dispatcher = Dispatcher(active_sessions, tokens, opened.second_factors, settings.second_factor)
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
    new_sessions = NewSessions(
        opened.sessions, cookies, settings.secret_key[0].get_secret_value(), settings.session_lifetime
    )
    sign_in = InteractionSignIn(new_sessions, lifecycle, settings.second_factor)
    second_factor = SecondFactorAuthentication(
        users=opened.users,
        second_factors=opened.second_factors,
        throttle=SecondFactorThrottle(opened.counters, settings.rate_limits),
        sessions=opened.sessions,
        secret_key=settings.secret_key[0].get_secret_value(),
    )

    app[PUSH] = Push(
        reader=reader,
        source=source,
        authentication=ClientAuthentication(
            app[KNOWN_CLIENTS],
            app[CLIENT_KEYS],
            opened.replay_marks,
            assertion_audiences(settings.issuer, PUSHED_AUTHORIZATION_REQUEST),
            app[FAILED_AUTHENTICATIONS],
        ),
        pushed_requests=opened.pushed_requests,
        limits=app[STORAGE_LIMITS],
        interaction_lifetime=settings.interaction_lifetime,
    )
    with suppress(Unavailable):  # then the first assertion starts them
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
        passkeys=PasskeyAuthentication(
            RelyingParty.of(settings.origin),
            Challenges(settings.secret_key[0].get_secret_value()),
            opened.passkeys,
            opened.replay_marks,
            opened.sessions,
        ),
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
    app[SECOND_FACTOR_STEP] = SecondFactorStep(
        settings=settings,
        lifecycle=lifecycle,
        dispatcher=dispatcher,
        authentication=second_factor,
        sign_in=sign_in,
        pages=pages,
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
        known_clients=app[KNOWN_CLIENTS],
        consents=opened.consents,
        cookies=cookies,
        pages=pages,
    )
    app[DEVICE_STEP] = DeviceStep(
        settings=settings,
        active_sessions=active_sessions,
        authentication=authentication,
        second_factor=second_factor,
        new_sessions=new_sessions,
        cookies=cookies,
        forms=DeviceForms(cookies, tuple(key.get_secret_value() for key in settings.secret_key)),
        pages=pages,
        user_codes=UserCodes(
            opened.device_codes, app[CLIENTS], app[PROTECTED_RESOURCES], opened.counters, settings.rate_limits
        ),
        decisions=DeviceDecisions(opened.device_codes, opened.consents),
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
