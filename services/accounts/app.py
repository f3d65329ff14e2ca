"""The accounts service: its routes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from services.accounts.administration.grants import GRANT_ADMINISTRATION, GrantAdministration
from services.accounts.administration.groups import GROUP_ADMINISTRATION, GroupAdministration
from services.accounts.administration.routes import mount_administration
from services.accounts.administration.sessions import SESSION_ADMINISTRATION, SessionAdministration
from services.accounts.administration.users import USER_ADMINISTRATION, UserAdministration
from services.accounts.recovery.forgotten import ForgottenPage, RecoveryThrottle
from services.accounts.recovery.link import RecoveryPage
from services.accounts.self_service.access import AccountAccess, Arrived, SignInNeeded
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
from shared.administration.guard import ADMINISTRATORS, Administrators
from shared.browser.active_session import ActiveSessions
from shared.browser.cookies import Cookies
from shared.browser.notices import Notices
from shared.browser.pages.account_pages import AccountPages
from shared.identity.passkeys.challenge import Challenges
from shared.identity.passkeys.passkey import RelyingParty
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
from shared.server.app import SETTINGS, Handler
from shared.server.pages import PAGES, show_pages
from shared.server.resources import CLIENTS, KEYRING, PASSWORDS, STORES, need, passwords, stores
from shared.web.answers import see_other

OVERVIEW = web.AppKey("OVERVIEW", Overview)
PROFILE_PAGE = web.AppKey("PROFILE_PAGE", ProfilePage)
PASSWORD_PAGE = web.AppKey("PASSWORD_PAGE", PasswordPage)
EMAIL_PAGE = web.AppKey("EMAIL_PAGE", EmailPage)
FORGOTTEN_PAGE = web.AppKey("FORGOTTEN_PAGE", ForgottenPage)
RECOVERY_PAGE = web.AppKey("RECOVERY_PAGE", RecoveryPage)
PASSKEYS_PAGE = web.AppKey("PASSKEYS_PAGE", PasskeysPage)
FACTOR_PAGE = web.AppKey("FACTOR_PAGE", FactorPage)
SESSIONS_PAGE = web.AppKey("SESSIONS_PAGE", SessionsPage)
TOKENS_PAGE = web.AppKey("TOKENS_PAGE", TokensPage)
ACTIVITY_PAGE = web.AppKey("ACTIVITY_PAGE", ActivityPage)
DATA_PAGE = web.AppKey("DATA_PAGE", DataPage)
CONNECTIONS_PAGE = web.AppKey("CONNECTIONS_PAGE", ConnectionsPage)

PageT = TypeVar("PageT")


def _notices(app: web.Application) -> Notices:
    """The mails to users, if this deployment sends any. Needs PAGES."""
    return Notices(app[PAGES], app[SETTINGS].mail_server is not None)


async def _pages(app: web.Application) -> AsyncIterator[None]:
    """The pages of the account. Needs `stores`, `passwords` and PAGES."""
    settings, opened, pages = app[SETTINGS], app[STORES], AccountPages(app[PAGES])
    cookies, hashing = Cookies.of(settings), app[PASSWORDS]
    notices = _notices(app)
    access = AccountAccess(settings, cookies, ActiveSessions(cookies, opened.sessions), opened.second_factors)
    new_passkeys = NewPasskeys(
        relying_party=RelyingParty.of(settings.origin),
        challenges=Challenges(settings.secret_keys[0]),
        credentials=opened.credentials,
        replay_marks=opened.replay_marks,
    )
    app[OVERVIEW] = Overview(
        settings=settings,
        access=access,
        users=opened.users,
        credentials=opened.credentials,
        sessions=opened.sessions,
        consents=opened.consents,
        tokens=opened.personal_access_tokens,
        clients=opened.clients,
        new_passkeys=new_passkeys,
        pages=pages,
    )
    app[PROFILE_PAGE] = ProfilePage(access, opened.users, opened.clients, pages)
    app[PASSWORD_PAGE] = PasswordPage(access, opened.users, opened.credentials, hashing, notices, pages)
    again = (ACCOUNT if settings.mail_server is None else ACCOUNT_FORGOTTEN).path
    app[FORGOTTEN_PAGE] = ForgottenPage(
        origin=settings.origin,
        cookies=cookies,
        requests=opened.recovery_requests,
        throttle=RecoveryThrottle(opened.counters, settings.rate_limits),
        pages=pages,
        is_offered=settings.mail_server is not None,
    )
    app[RECOVERY_PAGE] = RecoveryPage(
        settings.origin, cookies, opened.recovery_links, hashing, notices, pages, again
    )
    app[EMAIL_PAGE] = EmailPage(
        access=access,
        users=opened.users,
        codes=opened.address_codes,
        throttle=ConfirmationThrottle(opened.counters, settings.rate_limits),
        notices=notices,
        pages=pages,
        secret_key=settings.secret_keys[0],
    )
    app[PASSKEYS_PAGE] = PasskeysPage(
        access=access,
        credentials=opened.credentials,
        new_passkeys=new_passkeys,
        users=opened.users,
        notices=notices,
        pages=pages,
    )
    app[FACTOR_PAGE] = FactorPage(
        settings=settings,
        access=access,
        credentials=opened.credentials,
        second_factors=opened.second_factors,
        pages=pages,
        secret_key=settings.secret_keys[0],
    )
    app[SESSIONS_PAGE] = SessionsPage(access, opened.sessions, opened.users, pages)
    app[CONNECTIONS_PAGE] = ConnectionsPage(access, opened.consents, app[CLIENTS], pages)
    app[TOKENS_PAGE] = TokensPage(
        longest=settings.personal_access_token_lifetime,
        access=access,
        tokens=opened.personal_access_tokens,
        pages=pages,
    )
    app[ACTIVITY_PAGE] = ActivityPage(access, opened.audit_log, app[CLIENTS], pages)
    app[DATA_PAGE] = DataPage(
        access=access,
        cookies=cookies,
        users=opened.users,
        credentials=opened.credentials,
        sessions=opened.sessions,
        consents=opened.consents,
        tokens=opened.personal_access_tokens,
        audit_log=opened.audit_log,
        pages=pages,
    )
    yield


async def _administration(app: web.Application) -> AsyncIterator[None]:
    """The administration of accounts. Needs `stores`, `passwords` and PAGES."""
    opened = app[STORES]
    app[ADMINISTRATORS] = Administrators.of(app[SETTINGS], opened, app[KEYRING], app[CLIENTS])
    app[USER_ADMINISTRATION] = UserAdministration(
        opened.users, opened.groups, opened.credentials, app[PASSWORDS], _notices(app)
    )
    app[GROUP_ADMINISTRATION] = GroupAdministration(opened.groups, opened.users)
    app[SESSION_ADMINISTRATION] = SessionAdministration(opened.sessions, opened.users)
    app[GRANT_ADMINISTRATION] = GrantAdministration(opened.grants)
    yield


def _page(
    key: web.AppKey[PageT], handle: Callable[[PageT, web.Request], Awaitable[web.StreamResponse]]
) -> Handler:
    """The handler of a page, which leads through a sign-in where that is needed."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return await handle(request.app[key], request)
        except (SignInNeeded, Arrived) as redirect:
            return see_other(redirect.uri)

    return handler


def mount(app: web.Application) -> None:
    """Add this service's routes."""
    need(app, stores, passwords, _pages, _administration)
    show_pages(app)
    app.router.add_get(ACCOUNT.path, _page(OVERVIEW, Overview.get))
    app.router.add_get(ACCOUNT_PROFILE.path, _page(PROFILE_PAGE, ProfilePage.get))
    app.router.add_post(ACCOUNT_PROFILE.path, _page(PROFILE_PAGE, ProfilePage.post))
    app.router.add_get(ACCOUNT_PASSWORD.path, _page(PASSWORD_PAGE, PasswordPage.get))
    app.router.add_post(ACCOUNT_PASSWORD.path, _page(PASSWORD_PAGE, PasswordPage.post))
    app.router.add_get(ACCOUNT_EMAIL.path, _page(EMAIL_PAGE, EmailPage.get))
    app.router.add_post(ACCOUNT_EMAIL.path, _page(EMAIL_PAGE, EmailPage.post))
    app.router.add_get(ACCOUNT_FORGOTTEN.path, _page(FORGOTTEN_PAGE, ForgottenPage.get))
    app.router.add_post(ACCOUNT_FORGOTTEN.path, _page(FORGOTTEN_PAGE, ForgottenPage.post))
    app.router.add_get(ACCOUNT_RECOVERY.path, _page(RECOVERY_PAGE, RecoveryPage.get))
    app.router.add_post(ACCOUNT_RECOVERY.path, _page(RECOVERY_PAGE, RecoveryPage.post))
    app.router.add_get(ACCOUNT_PASSKEYS.path, _page(PASSKEYS_PAGE, PasskeysPage.get))
    app.router.add_post(ACCOUNT_PASSKEYS.path, _page(PASSKEYS_PAGE, PasskeysPage.post))
    app.router.add_get(ACCOUNT_SECOND_FACTOR.path, _page(FACTOR_PAGE, FactorPage.get))
    app.router.add_post(ACCOUNT_SECOND_FACTOR.path, _page(FACTOR_PAGE, FactorPage.post))
    app.router.add_get(ACCOUNT_SESSIONS.path, _page(SESSIONS_PAGE, SessionsPage.get))
    app.router.add_post(ACCOUNT_SESSIONS.path, _page(SESSIONS_PAGE, SessionsPage.post))
    app.router.add_get(ACCOUNT_CONNECTIONS.path, _page(CONNECTIONS_PAGE, ConnectionsPage.get))
    app.router.add_post(ACCOUNT_CONNECTIONS.path, _page(CONNECTIONS_PAGE, ConnectionsPage.post))
    app.router.add_get(ACCOUNT_TOKENS.path, _page(TOKENS_PAGE, TokensPage.get))
    app.router.add_post(ACCOUNT_TOKENS.path, _page(TOKENS_PAGE, TokensPage.post))
    app.router.add_get(ACCOUNT_ACTIVITY.path, _page(ACTIVITY_PAGE, ActivityPage.get))
    app.router.add_get(ACCOUNT_DATA.path, _page(DATA_PAGE, DataPage.get))
    app.router.add_post(ACCOUNT_DATA.path, _page(DATA_PAGE, DataPage.post))
    mount_administration(app)
