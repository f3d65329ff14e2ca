"""The endpoints of the authorization service, made when a process starts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from services.authorization.authentication.throttling import SIGN_UP
from services.authorization.authorize import Authorize
from services.authorization.device.decisions import DeviceDecisions
from services.authorization.device.forms import DeviceForms
from services.authorization.device.page import DevicePage
from services.authorization.device.sign_in import DeviceSignIn
from services.authorization.device.sign_in_pages import DeviceSignInPages
from services.authorization.device.user_codes import UserCodes
from services.authorization.logout.end_session import EndSession
from services.authorization.logout.front_channel import FrontChannel
from services.authorization.logout.responses import LogoutResponses
from services.authorization.pushed import Push
from services.authorization.request.storage_limits import STORAGE_LIMITS
from services.authorization.steps.add_second_factor import AddSecondFactorStep
from services.authorization.steps.consent import ConsentStep
from services.authorization.steps.login import LoginStep
from services.authorization.steps.replace_password import ReplacePasswordStep
from services.authorization.steps.second_factor import SecondFactorStep
from services.authorization.steps.select_account import SelectAccountStep
from services.authorization.steps.sign_up import SignUpStep
from services.authorization.wiring.collaborators import SharedCollaborators
from services.authorization.wiring.known_clients import KNOWN_CLIENTS
from shared.live.throttle import Throttle
from shared.operations.user_rules.passwords import least_password
from shared.paths import PUSHED_AUTHORIZATION_REQUEST
from shared.server.resources import CLIENTS, KEYRING, PASSWORDS, PROTECTED_RESOURCES, client_authentication


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationEndpoints:
    """The endpoints by name; `app.py` says which path leads to which."""

    authorize: Authorize
    push: Push
    login: LoginStep
    sign_up: SignUpStep
    second_factor: SecondFactorStep
    add_second_factor: AddSecondFactorStep
    replace_password: ReplacePasswordStep
    select_account: SelectAccountStep
    consent: ConsentStep
    device: DevicePage
    logout: EndSession


ENDPOINTS = web.AppKey("ENDPOINTS", AuthorizationEndpoints)


async def endpoints(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context: ENDPOINTS. Needs what `SharedCollaborators.of` does."""
    shared = SharedCollaborators.of(app)
    app[ENDPOINTS] = AuthorizationEndpoints(
        authorize=_authorize(shared),
        push=_push(shared, app),
        login=_login(shared),
        sign_up=_sign_up(shared, app),
        second_factor=_second_factor(shared),
        add_second_factor=_add_second_factor(shared),
        replace_password=_replace_password(shared, app),
        select_account=_select_account(shared),
        consent=_consent(shared, app),
        device=_device(shared, app),
        logout=_logout(shared, app),
    )
    yield


def _authorize(shared: SharedCollaborators) -> Authorize:
    return Authorize(
        reader=shared.reading.reader,
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        responder=shared.responder,
        posted=shared.reading.posted,
        cookies=shared.cookies,
    )


def _push(shared: SharedCollaborators, app: web.Application) -> Push:
    return Push(
        reader=shared.reading.reader,
        source=shared.reading.source,
        authentication=client_authentication(app, app[KNOWN_CLIENTS], PUSHED_AUTHORIZATION_REQUEST),
        pushed_requests=shared.stores.pushed_requests,
        limits=app[STORAGE_LIMITS],
        interaction_lifetime=shared.settings.interaction_lifetime,
    )


def _login(shared: SharedCollaborators) -> LoginStep:
    return LoginStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        authentication=shared.authentication.by_password,
        passkeys=shared.authentication.by_passkey,
        sign_in=shared.sign_in,
        pages=shared.pages,
        may_sign_up=shared.settings.may_sign_up,
        has_mail=shared.settings.mail_server is not None,
    )


def _sign_up(shared: SharedCollaborators, app: web.Application) -> SignUpStep:
    return SignUpStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        sign_in=shared.sign_in,
        pages=shared.pages,
        users=shared.stores.users,
        passwords=app[PASSWORDS],
        least_password=least_password(shared.settings),
        by_password=shared.authentication.by_password,
        throttle=Throttle(shared.stores.counters, "sign_up", SIGN_UP, shared.settings.rate_limits),
        secret_key=shared.settings.secret_keys[0],
    )


def _second_factor(shared: SharedCollaborators) -> SecondFactorStep:
    return SecondFactorStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        authentication=shared.authentication.by_second_factor,
        passkeys=shared.authentication.by_passkey,
        sign_in=shared.sign_in,
        pages=shared.pages,
        may_remember=shared.settings.second_factor == "optional",
    )


def _add_second_factor(shared: SharedCollaborators) -> AddSecondFactorStep:
    return AddSecondFactorStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        authentication=shared.authentication.by_second_factor,
        passkeys=shared.authentication.new_passkeys,
        links=shared.stores.recovery_links,
        sign_in=shared.sign_in,
        pages=shared.pages,
        host=urlsplit(shared.settings.issuer).hostname or "",
    )


def _replace_password(shared: SharedCollaborators, app: web.Application) -> ReplacePasswordStep:
    return ReplacePasswordStep(
        lifecycle=shared.lifecycle,
        dispatcher=shared.dispatcher,
        credentials=shared.stores.credentials,
        passwords=app[PASSWORDS],
        least_password=least_password(shared.settings),
        notices=shared.authentication.notices,
        sign_in=shared.sign_in,
        pages=shared.pages,
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


def _device(shared: SharedCollaborators, app: web.Application) -> DevicePage:
    settings, stores, authentication = shared.settings, shared.stores, shared.authentication
    forms = DeviceForms(shared.cookies, settings.secret_keys)
    return DevicePage(
        settings=settings,
        active_sessions=shared.active_sessions,
        sign_in=DeviceSignIn(
            settings=settings,
            passwords=authentication.by_password,
            passkeys=authentication.by_passkey,
            second_factors=authentication.by_second_factor,
            cookies=shared.cookies,
            forms=forms,
        ),
        sign_in_pages=DeviceSignInPages(authentication.by_passkey, shared.cookies, forms, shared.pages),
        new_sessions=authentication.new_sessions,
        cookies=shared.cookies,
        forms=forms,
        pages=shared.pages,
        user_codes=UserCodes(
            device_codes=stores.device_codes,
            clients=app[CLIENTS],
            resources=app[PROTECTED_RESOURCES],
            permissions=shared.permissions,
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
        posted=shared.reading.posted,
        front_channel=FrontChannel(settings.issuer, sessions, app[CLIENTS]),
        cookies=shared.cookies,
        responses=LogoutResponses(shared.pages, shared.cookies),
    )
