"""The endpoints of the accounts service, made when a process starts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

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
from shared.identity.passkeys.challenge import Challenges
from shared.identity.passkeys.passkey import RelyingParty
from shared.operations.new_passkeys import PasskeyCreation
from shared.operations.user_rules.passwords import least_password
from shared.paths import ACCOUNT, ACCOUNT_FORGOTTEN
from shared.server.app import SETTINGS
from shared.server.pages import PAGES
from shared.server.resources import CLIENTS, PASSWORDS, STORES


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
    settings, stores, pages = app[SETTINGS], app[STORES], AccountPages(app[PAGES].renderer)
    cookies, clients = Cookies.of(settings), app[CLIENTS]
    secret_key = settings.secret_keys[0]
    notices = Notices.of(settings)
    access = AccountAccess(
        settings, cookies, ActiveSessions(cookies, stores.sessions), stores.second_factors, app[PAGES]
    )
    forms = BrowserForms(settings.origin, cookies)
    relying_party = RelyingParty.of(settings.origin, settings.rp_id, settings.passkey_origins)
    new_passkeys = NewPasskeys(
        PasskeyCreation(relying_party, Challenges(secret_key), stores.replay_marks),
        stores.credentials,
    )
    app[ENDPOINTS] = AccountEndpoints(
        access=access,
        holds=RecoveryHolds(stores.recovery_links, app[PAGES]),
        overview=Overview(
            settings=settings,
            access=access,
            users=stores.users,
            credentials=stores.credentials,
            sessions=stores.sessions,
            consents=stores.consents,
            tokens=stores.personal_access_tokens,
            clients=stores.clients,
            new_passkeys=new_passkeys,
            links=stores.recovery_links,
            pages=pages,
        ),
        profile=ProfilePage(stores.users, stores.clients, pages),
        password=PasswordPage(
            users=stores.users,
            credentials=stores.credentials,
            passwords=app[PASSWORDS],
            least_password=least_password(settings),
            notices=notices,
            pages=pages,
        ),
        email=EmailPage(
            users=stores.users,
            codes=stores.address_codes,
            throttle=ConfirmationThrottle(stores.counters, settings.rate_limits),
            notices=notices,
            pages=pages,
            secret_key=secret_key,
        ),
        passkeys=PasskeysPage(access, stores.credentials, new_passkeys, stores.users, notices, pages),
        second_factor=FactorPage(
            access=access,
            settings=settings,
            credentials=stores.credentials,
            second_factors=stores.second_factors,
            users=stores.users,
            notices=notices,
            pages=pages,
            secret_key=secret_key,
        ),
        sessions=SessionsPage(stores.sessions, stores.users, pages),
        connections=ConnectionsPage(stores.consents, clients, pages),
        tokens=TokensPage(
            longest=settings.personal_access_token_lifetime,
            tokens=stores.personal_access_tokens,
            pages=pages,
        ),
        activity=ActivityPage(stores.audit_log, clients, pages),
        data=DataPage(
            cookies=cookies,
            users=stores.users,
            credentials=stores.credentials,
            sessions=stores.sessions,
            consents=stores.consents,
            tokens=stores.personal_access_tokens,
            audit_log=stores.audit_log,
            pages=pages,
        ),
        forgotten=ForgottenPage(
            cookies=cookies,
            forms=forms,
            requests=stores.recovery_requests,
            throttle=RecoveryThrottle(stores.counters, settings.rate_limits),
            pages=pages,
            is_offered=settings.mail_server is not None,
        ),
        recovery=RecoveryPage(
            issuer=settings.issuer,
            cookies=cookies,
            forms=forms,
            links=stores.recovery_links,
            passwords=app[PASSWORDS],
            least_password=least_password(settings),
            notices=notices,
            pages=pages,
            again=(ACCOUNT if settings.mail_server is None else ACCOUNT_FORGOTTEN).path,
        ),
    )
    yield
