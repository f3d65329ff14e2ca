"""The endpoints of the accounts service, made when a process starts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from services.accounts.recovery.browser_forms import BrowserForms
from services.accounts.recovery.forgotten import ForgottenPage
from services.accounts.recovery.link import RecoveryPage
from services.accounts.recovery.throttle import RecoveryThrottle
from services.accounts.self_service.activity import ActivityPage
from services.accounts.self_service.connections import ConnectionsPage
from services.accounts.self_service.data import DataPage
from services.accounts.self_service.email import ConfirmationThrottle, EmailPage
from services.accounts.self_service.new_passkey import NewPasskeys
from services.accounts.self_service.overview import Overview
from services.accounts.self_service.passkeys import PasskeysPage
from services.accounts.self_service.password import PasswordPage
from services.accounts.self_service.profile import ProfilePage
from services.accounts.self_service.second_factor import FactorPage
from services.accounts.self_service.sessions import SessionsPage
from services.accounts.self_service.tokens import TokensPage
from services.accounts.visit.access import AccountAccess
from services.accounts.visit.holds import RecoveryHolds
from shared.browser.active_session import ActiveSessions
from shared.browser.cookies import Cookies
from shared.browser.notices import Notices
from shared.browser.pages.account_pages import AccountPages
from shared.config.settings import Settings
from shared.identity.passkeys.challenge import Challenges
from shared.identity.passkeys.passkey import RelyingParty
from shared.operations.new_passkeys import PasskeyCreation
from shared.operations.user_rules.passwords import least_password
from shared.paths import ACCOUNT, ACCOUNT_FORGOTTEN
from shared.server.app import SETTINGS
from shared.server.pages import PAGES
from shared.server.resources import CLIENTS, PASSWORDS, STORES
from shared.store.open import Stores


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEndpoints:
    """The pages by name, and who may open them; `app.py` says which path leads to which."""

    access: AccountAccess
    holds: RecoveryHolds
    overview: Overview
    profile: ProfilePage
    password: PasswordPage
    email: EmailPage
    passkeys: PasskeysPage
    second_factor: FactorPage
    sessions: SessionsPage
    connections: ConnectionsPage
    tokens: TokensPage
    activity: ActivityPage
    data: DataPage
    forgotten: ForgottenPage
    recovery: RecoveryPage


ENDPOINTS = web.AppKey("ENDPOINTS", AccountEndpoints)


async def endpoints(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context: ENDPOINTS. Needs `stores`, `passwords` and PAGES."""
    shared = _SharedCollaborators.of(app)
    app[ENDPOINTS] = AccountEndpoints(
        access=shared.access,
        holds=RecoveryHolds(shared.stores.recovery_links, app[PAGES]),
        overview=_overview(shared),
        profile=ProfilePage(shared.stores.users, shared.stores.clients, shared.pages),
        password=_password(shared, app),
        email=_email(shared),
        passkeys=_passkeys(shared),
        second_factor=_second_factor(shared),
        sessions=SessionsPage(shared.stores.sessions, shared.stores.users, shared.pages),
        connections=ConnectionsPage(shared.stores.consents, app[CLIENTS], shared.pages),
        tokens=_tokens(shared),
        activity=ActivityPage(shared.stores.audit_log, app[CLIENTS], shared.pages),
        data=_data(shared),
        forgotten=_forgotten(shared),
        recovery=_recovery(shared, app),
    )
    yield


@dataclass(frozen=True, slots=True, kw_only=True)
class _SharedCollaborators:
    """What several pages have in common."""

    settings: Settings
    stores: Stores
    cookies: Cookies
    forms: BrowserForms
    access: AccountAccess
    notices: Notices
    new_passkeys: NewPasskeys
    pages: AccountPages

    @classmethod
    def of(cls, app: web.Application) -> Self:
        settings, stores = app[SETTINGS], app[STORES]
        cookies = Cookies.of(settings)
        active_sessions = ActiveSessions(cookies, stores.sessions)
        relying_party = RelyingParty.of(settings.origin, settings.rp_id, settings.passkey_origins)
        challenges = Challenges(settings.secret_keys[0])
        creation = PasskeyCreation(relying_party, challenges, stores.replay_marks)
        return cls(
            settings=settings,
            stores=stores,
            cookies=cookies,
            forms=BrowserForms(settings.origin, cookies),
            access=AccountAccess(settings, cookies, active_sessions, stores.second_factors, app[PAGES]),
            notices=Notices.of(settings),
            new_passkeys=NewPasskeys(creation, stores.credentials),
            pages=AccountPages(app[PAGES].renderer),
        )


def _overview(shared: _SharedCollaborators) -> Overview:
    return Overview(
        settings=shared.settings,
        access=shared.access,
        users=shared.stores.users,
        credentials=shared.stores.credentials,
        sessions=shared.stores.sessions,
        consents=shared.stores.consents,
        tokens=shared.stores.personal_access_tokens,
        clients=shared.stores.clients,
        new_passkeys=shared.new_passkeys,
        links=shared.stores.recovery_links,
        pages=shared.pages,
    )


def _password(shared: _SharedCollaborators, app: web.Application) -> PasswordPage:
    return PasswordPage(
        users=shared.stores.users,
        credentials=shared.stores.credentials,
        passwords=app[PASSWORDS],
        least_password=least_password(shared.settings),
        notices=shared.notices,
        pages=shared.pages,
    )


def _email(shared: _SharedCollaborators) -> EmailPage:
    return EmailPage(
        users=shared.stores.users,
        codes=shared.stores.address_codes,
        throttle=ConfirmationThrottle.of(shared.stores.counters, is_on=shared.settings.rate_limits),
        notices=shared.notices,
        pages=shared.pages,
        secret_key=shared.settings.secret_keys[0],
    )


def _passkeys(shared: _SharedCollaborators) -> PasskeysPage:
    return PasskeysPage(
        shared.access,
        shared.stores.credentials,
        shared.new_passkeys,
        shared.stores.users,
        shared.notices,
        shared.pages,
    )


def _second_factor(shared: _SharedCollaborators) -> FactorPage:
    return FactorPage(
        access=shared.access,
        settings=shared.settings,
        credentials=shared.stores.credentials,
        second_factors=shared.stores.second_factors,
        users=shared.stores.users,
        notices=shared.notices,
        pages=shared.pages,
        secret_key=shared.settings.secret_keys[0],
    )


def _tokens(shared: _SharedCollaborators) -> TokensPage:
    return TokensPage(
        longest=shared.settings.personal_access_token_lifetime,
        tokens=shared.stores.personal_access_tokens,
        pages=shared.pages,
    )


def _data(shared: _SharedCollaborators) -> DataPage:
    return DataPage(
        cookies=shared.cookies,
        users=shared.stores.users,
        credentials=shared.stores.credentials,
        sessions=shared.stores.sessions,
        consents=shared.stores.consents,
        tokens=shared.stores.personal_access_tokens,
        audit_log=shared.stores.audit_log,
        pages=shared.pages,
    )


def _forgotten(shared: _SharedCollaborators) -> ForgottenPage:
    return ForgottenPage(
        cookies=shared.cookies,
        forms=shared.forms,
        requests=shared.stores.recovery_requests,
        throttle=RecoveryThrottle.of(shared.stores.counters, is_on=shared.settings.rate_limits),
        pages=shared.pages,
        is_offered=shared.settings.mail_server is not None,
    )


def _recovery(shared: _SharedCollaborators, app: web.Application) -> RecoveryPage:
    return RecoveryPage(
        issuer=shared.settings.issuer,
        cookies=shared.cookies,
        forms=shared.forms,
        links=shared.stores.recovery_links,
        passwords=app[PASSWORDS],
        least_password=least_password(shared.settings),
        notices=shared.notices,
        pages=shared.pages,
        again=(ACCOUNT if shared.settings.mail_server is None else ACCOUNT_FORGOTTEN).path,
    )
