"""The account pages in their states, with invented content."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from aiohttp import web

from shared.browser.pages import ApplicationView, ClientView, HeldView, Pages
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.ago import Ago
from shared.browser.pages.catalogue import Catalogue
from shared.browser.pages.views.account.activity import ActivityEvent, ActivityView
from shared.browser.pages.views.account.connections import ConnectedClient, ConnectionsView
from shared.browser.pages.views.account.data import AccountDataView
from shared.browser.pages.views.account.email import EmailView
from shared.browser.pages.views.account.overview import AccountOverviewView, PasskeyOffer
from shared.browser.pages.views.account.passkeys import PasskeysView, PasskeyView, RecoveryCodesOffer
from shared.browser.pages.views.account.password import ForgottenView, PasswordChangeView, RecoveryView
from shared.browser.pages.views.account.profile import ProfileField, ProfileView
from shared.browser.pages.views.account.second_factor import FactorView, NewAppView
from shared.browser.pages.views.account.sessions import DeviceSession, DeviceSessionsView
from shared.browser.pages.views.account.tokens import (
    NewTokenView,
    PersonalTokenForm,
    PersonalTokensView,
    PersonalTokenView,
)
from shared.identity.passkeys.options import creation_options
from shared.identity.passkeys.passkey import RelyingParty
from shared.identity.passkeys.signals import signals
from shared.live import clock
from shared.oauth.tokens.personal_access_token import OFFERED_SCOPES, personal_access_token
from tests.sample_clients import CLIENT, LONG_CLIENT

NOW = clock.now()
EVENT = "activity.event."
KNOWN_EVENTS = [each.removeprefix(EVENT) for each in Catalogue.load("en").texts if each.startswith(EVENT)]
HIDDEN = {"form_token": "u7Qe"}
FILES, WIKI, LONG = CLIENT, ClientView("wiki", "Wiki"), LONG_CLIENT


def _ago(**passed: float) -> Ago:
    return Ago.of(NOW - timedelta(**passed), NOW)


OVERVIEW = AccountOverviewView(
    username="amelie.laurent",
    name="Amélie Laurent",
    email="amelie@example.org",
    is_email_verified=True,
    may_change_email=True,
    groups=("Engineering", "Everybody"),
    roles=("Editor", "Reviewer"),
    password_set=_ago(days=70),
    passkeys=2,
    factor="off",
    recovery_codes=0,
    sessions=3,
    connections=2,
    tokens=2,
    applications=tuple(
        ApplicationView(client, f"https://{client.client_id}.example.org/start")
        for client in (FILES, WIKI, LONG)
    ),
)
BARE = AccountOverviewView(
    username="demo",
    name="demo",
    email="demo@example.org",
    is_email_verified=False,
    groups=(),
    roles=(),
    password_set=None,
    passkeys=0,
    factor="on",
    recovery_codes=1,
    sessions=1,
    connections=1,
    tokens=0,
    done="factor",
)
UNSET = replace(BARE, email=None, factor="unavailable", may_change_email=True, done="password")
UNVERIFIED = replace(OVERVIEW, email="amelie@files.example", is_email_verified=False, done="profile")
PASSWORD = PasswordChangeView("/oidc/account/password", "amelie.laurent", 8, hidden=HIDDEN)
RECOVERY = RecoveryView("/oidc/account/recovery", "amelie.laurent", 8, hidden=HIDDEN)
EMAIL = EmailView("/oidc/account/email", "amelie@example.org", True, hidden=HIDDEN)
FORGOTTEN = ForgottenView("/oidc/account/forgotten", hidden=HIDDEN)
SECRET = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
NEW_APP = NewAppView(
    "/oidc/account/factor",
    "otpauth://totp/id.example.org%3Aamelie.laurent?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    SECRET,
    hidden=HIDDEN,
)
FACTOR = FactorView("/oidc/account/factor", _ago(days=800), 7, False, hidden=HIDDEN)
REQUIRED = replace(FACTOR, is_required=True, recovery_codes=1)
DATA = AccountDataView("/oidc/account/data", "amelie.laurent", hidden=HIDDEN)
RELYING_PARTY = RelyingParty.of("http://localhost:8080")
OPTIONS = creation_options(RELYING_PARTY, b"c" * 40, UUID(int=1), "amelie.laurent")
SIGNALS = signals(RELYING_PARTY, UUID(int=1), "amelie.laurent", ())
PASSKEYS = PasskeysView(
    "/oidc/account/passkeys",
    (
        PasskeyView("1", "Chrome · Android", True, _ago(days=90), _ago(hours=5), "Google Password Manager"),
        PasskeyView("2", "Security key in the drawer of the desk at home", False, _ago(), None),
        PasskeyView("3", "", True, _ago(days=500), _ago(days=400)),
    ),
    OPTIONS,
    SIGNALS,
    "Firefox · Linux",
    RecoveryCodesOffer("/oidc/account/factor", 0, HIDDEN),
    hidden=HIDDEN,
)
SESSIONS = (
    DeviceSession("1", "Firefox", "Linux", "192.0.2.17", _ago(minutes=12), _ago(), True),
    DeviceSession("2", "Safari", "iPhone", "2001:db8::17", _ago(days=3), _ago(hours=5), False),
    DeviceSession("3", None, None, "unknown", _ago(hours=1), None, False),
)
PROFILE = ProfileView(
    "/oidc/account/profile",
    (
        ProfileField("name", "Amélie Laurent", is_managed=True),
        ProfileField("given_name", "Amélie"),
        ProfileField("family_name", "Laurent"),
        ProfileField("nickname", ""),
        ProfileField("phone_number", "+33 1 23 45 67 89"),
        ProfileField("locale", "fr"),
    ),
    hidden=HIDDEN,
)
MANAGED_LANGUAGE = ProfileField("locale", "fr", is_managed=True)
ACTIVITY = ActivityView(
    (
        ActivityEvent("signed_in", _ago(), None, "Firefox", "Linux", "192.0.2.17"),
        ActivityEvent("sign_in_failed", _ago(minutes=1), address="2001:db8::17"),
        ActivityEvent("grant_made", _ago(hours=5), LONG.name),
        ActivityEvent("personal_access_token_added", _ago(days=1), "Backup of the laptop"),
        ActivityEvent("event_of_a_later_version", _ago(days=3)),
    ),
    older="/oidc/account/activity?before=17",
)
OLDEST = ActivityView(
    tuple(ActivityEvent(kind, _ago(days=3), browser="Firefox") for kind in KNOWN_EVENTS),
    newest="/oidc/account/activity",
)
NODE = "node:0b6f1d2e-93a4-4c0a-8a51-2f1f0c9d7e55:rw"
TOKENS = PersonalTokensView(
    "/oidc/account/tokens",
    (
        PersonalTokenView(
            "1", "Backup of the laptop", ("openid", NODE), "2027-05-14", _ago(days=90), _ago(hours=5)
        ),
        PersonalTokenView(
            "2", "Calendar on the kitchen wall", ("openid", "email"), "2026-12-24", _ago(), None
        ),
    ),
    OFFERED_SCOPES,
    (7, 30, 90, 365),
    hidden=HIDDEN,
)
NEW_TOKEN = NewTokenView("Backup of the laptop", "2027-05-14", personal_access_token("aB3" * 14 + "x"))
WRONG_NODES = PersonalTokenForm("Backup", ("openid", "pydio"), "node:documents:rw", 90)
SCOPES = ("openid", "profile", "offline_access", "calendar.read")
CONNECTIONS = (
    ConnectedClient(FILES, SCOPES, ("birthdate", "employee_number"), (), _ago()),
    ConnectedClient(LONG, ("openid",), (), ("https://api.example.org/notes",), None),
)


def account_responses(pages: Pages, locale: str) -> dict[str, web.Response]:
    """Every account page by the name of its state."""
    account = AccountPages(pages.renderer)
    sessions = DeviceSessionsView("/oidc/account/sessions", SESSIONS, hidden=HIDDEN)
    connections = ConnectionsView("/oidc/account/applications", CONNECTIONS, hidden=HIDDEN)
    codes = tuple(f"{a}{b}{a}{b}-eaye-auda-ocaj" for a in "abcde" for b in "xy")
    return {
        "account": account.overview(OVERVIEW, locale),
        "account-bare": account.overview(BARE, locale),
        "account-one-passkey": account.overview(replace(OVERVIEW, passkeys=1), locale),
        "account-unset": account.overview(UNSET, locale),
        "account-unverified": account.overview(UNVERIFIED, locale),
        "account-confirmed": account.overview(replace(OVERVIEW, done="email"), locale),
        "account-held": account.overview(replace(OVERVIEW, held_until=NOW + timedelta(hours=23)), locale),
        "held": pages.held(HeldView(NOW + timedelta(hours=23), "/oidc/account", is_signed_in=True), locale),
        "held-native": pages.held(HeldView(NOW + timedelta(hours=2), None, is_signed_in=False), locale),
        "held-signing-in": pages.held(
            HeldView(NOW + timedelta(hours=2), "https://files.example.org/callback", is_signed_in=False),
            locale,
        ),
        "account-offer": account.overview(
            replace(OVERVIEW, signals=SIGNALS, offer=PasskeyOffer(PASSKEYS.action, OPTIONS, HIDDEN)), locale
        ),
        "account-profile": account.profile(PROFILE, locale),
        "account-profile-phone": account.profile(replace(PROFILE, fault="phone_number"), locale),
        "account-profile-stale": account.profile(
            replace(PROFILE, fields=(*PROFILE.fields[:-1], MANAGED_LANGUAGE), fault="stale"), locale
        ),
        "account-profile-nickname": account.profile(replace(PROFILE, fault="nickname"), locale),
        "account-profile-language": account.profile(
            replace(PROFILE, fields=(ProfileField("locale", "gsw"),), fault="locale"), locale
        ),
        "account-profile-unset": account.profile(
            replace(PROFILE, fields=(ProfileField("locale", ""),)), locale
        ),
        "account-password": account.password(PASSWORD, locale),
        "account-password-common": account.password(replace(PASSWORD, fault="password_common"), locale),
        "account-email": account.email(EMAIL, locale),
        "account-email-none": account.email(replace(EMAIL, email=None, is_verified=False), locale),
        "account-email-unverified": account.email(replace(EMAIL, is_verified=False), locale),
        "account-email-wanted": account.email(replace(EMAIL, pending="amelie@files.example"), locale),
        "account-email-code": account.email(
            replace(EMAIL, pending="amelie@files.example", fault="code"), locale
        ),
        "account-email-email": account.email(replace(EMAIL, typed="amelie@", fault="email"), locale),
        "account-email-taken": account.email(replace(EMAIL, typed="amelie@x.test", fault="taken"), locale),
        "account-email-throttled": account.email(
            replace(EMAIL, pending="amelie@files.example", fault="throttled"), locale
        ),
        "forgotten": account.forgotten(FORGOTTEN, locale),
        "forgotten-throttled": account.forgotten(
            replace(FORGOTTEN, username="amelie.laurent", retry_after=240), locale
        ),
        "forgotten-sent": account.forgotten_sent(30, locale),
        "recovery-elsewhere": account.recovery(replace(RECOVERY, is_elsewhere=True), locale),
        "recovery": account.recovery(RECOVERY, locale),
        "recovery-issued": account.recovery(replace(RECOVERY, issued_by="marie.curie"), locale),
        "recovery-name": account.recovery(replace(RECOVERY, fault="password_name"), locale),
        "recovered": account.recovered("/oidc/oauth2/auth?login_hint=amelie.laurent", locale),
        "account-new-app": account.new_app(NEW_APP, locale),
        "account-new-app-code": account.new_app(replace(NEW_APP, is_wrong=True), locale),
        "account-passkeys": account.passkeys(replace(PASSKEYS, done="passkey"), locale),
        "account-passkeys-none": account.passkeys(
            replace(PASSKEYS, passkeys=(), recovery_codes=None, done="passkey_removed"), locale
        ),
        "account-passkeys-one": account.passkeys(
            replace(
                PASSKEYS,
                passkeys=PASSKEYS.passkeys[:1],
                recovery_codes=RecoveryCodesOffer("/oidc/account/factor", 7, HIDDEN),
            ),
            locale,
        ),
        "account-passkeys-needed": account.passkeys(replace(PASSKEYS, fault="needed"), locale),
        "account-passkeys-refused": account.passkeys(replace(PASSKEYS, fault="refused"), locale),
        "account-passkeys-taken": account.passkeys(replace(PASSKEYS, fault="taken"), locale),
        "account-passkeys-last": account.passkeys(replace(PASSKEYS, fault="last"), locale),
        "account-factor": account.factor(FACTOR, locale),
        "account-factor-remembered": account.factor(replace(FACTOR, remembered=2), locale),
        "account-factor-required": account.factor(
            replace(FACTOR, is_required=True, recovery_codes=1), locale
        ),
        "account-recovery-codes": account.recovery_codes(codes, locale),
        "account-activity": account.activity(ACTIVITY, locale),
        "account-activity-oldest": account.activity(OLDEST, locale),
        "account-activity-none": account.activity(ActivityView(()), locale),
        "account-tokens": account.tokens(replace(TOKENS, done="token"), locale),
        "account-tokens-none": account.tokens(replace(TOKENS, tokens=()), locale),
        "account-tokens-name": account.tokens(replace(TOKENS, tokens=(), fault="name"), locale),
        "account-tokens-lifetime": account.tokens(replace(TOKENS, fault="lifetime"), locale),
        "account-tokens-number": account.tokens(replace(TOKENS, fault="number"), locale),
        "account-tokens-scope": account.tokens(replace(TOKENS, form=WRONG_NODES, fault="scope"), locale),
        "account-new-token": account.new_token(NEW_TOKEN, locale),
        "account-data": account.data(DATA, locale),
        "account-data-wrong": account.data(replace(DATA, is_wrong=True), locale),
        "account-sessions": account.sessions(replace(sessions, done="session"), locale),
        "account-sessions-one": account.sessions(
            replace(sessions, sessions=SESSIONS[:1], done="sessions"), locale
        ),
        "account-connections": account.connections(connections, locale),
        "account-connections-none": account.connections(
            replace(connections, connections=(), done="connection"), locale
        ),
    }
