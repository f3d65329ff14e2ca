"""Every page in its relevant states, with invented content, and an application that serves them."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from uuid import UUID

from aiohttp import web

from shared.browser.pages import (
    AccountView,
    AddSecondFactorView,
    ApiView,
    ConfirmDeviceView,
    ConsentView,
    DeviceDoneView,
    DeviceView,
    ErrorView,
    FormView,
    LeavingView,
    LocalizedText,
    LoginView,
    LogoutView,
    OutOfBandView,
    Pages,
    RecoveryCodesView,
    ReplacePasswordView,
    SecondFactorView,
    SelectAccountView,
    SignedOutView,
    SignUpView,
)
from shared.browser.pages.assets import ASSETS, static
from shared.config.kinds.protocol import UI_LOCALES
from shared.identity.passkeys.options import creation_options, request_options
from shared.identity.passkeys.passkey import RelyingParty
from shared.oauth.supported import SCOPE_CLAIMS
from shared.paths import STATIC
from tests.sample_account_pages import account_responses
from tests.sample_clients import CLIENT, DOCUMENT_CLIENT, LONG_CLIENT, NATIVE_CLIENT, OWN_CLIENT
from tests.sample_local_pages import local_responses

CALLBACK = ("https://files.example.org/callback",)
LOOPBACK = ("http://127.0.0.1:7412/callback",)
HIDDEN = {"interaction": "gZ1w", "csrf": "u7Qe"}
CANCEL = "/oidc/login/cancel"
LOGIN = LoginView(FormView(CLIENT, "/oidc/login", HIDDEN, CALLBACK, CANCEL))
USERNAME = "amelie.laurent"
RELYING_PARTY = RelyingParty.of("http://localhost:8080")
PASSKEY = request_options(RELYING_PARTY, b"c" * 40)
NEW_PASSKEY = creation_options(RELYING_PARTY, b"c" * 40, UUID(int=1), USERNAME)

LOGINS: Mapping[str, LoginView] = {
    "login": LOGIN,
    "login-forgotten": replace(LOGIN, forgotten_href="/oidc/account/forgotten"),
    "login-plain": LoginView(FormView(None, "/oidc/login", HIDDEN)),
    "login-sign-up": replace(LOGIN, sign_up_href="/oidc/signup?interaction=gZ1w"),
    "login-native": LoginView(
        FormView(NATIVE_CLIENT, "/oidc/login", form_action=("http://localhost:3000/callback",))
    ),
    "login-credentials": replace(LOGIN, username=USERNAME, fault="credentials"),
    "login-throttled": LoginView(
        FormView(CLIENT, "/oidc/login", form_action=CALLBACK), USERNAME, "throttled", 240
    ),
    "login-passkey": replace(LOGIN, passkey=PASSKEY, sign_up_href="/oidc/signup?interaction=gZ1w"),
    "login-passkey-plain": LoginView(FormView(None, "/oidc/device", HIDDEN), passkey=PASSKEY),
    "login-passkey-refused": replace(LOGIN, passkey=PASSKEY, fault="passkey", unknown_passkey="Vd0y"),
    "login-passkey-unverified": replace(LOGIN, passkey=PASSKEY, fault="unverified", username=USERNAME),
    "login-second-factor": LoginView(FormView(None, "/oidc/device", HIDDEN), USERNAME, "second_factor"),
    "login-temporary-password": LoginView(
        FormView(None, "/oidc/device", HIDDEN), USERNAME, "temporary_password"
    ),
    "login-own": LoginView(FormView(OWN_CLIENT, "/oidc/login", HIDDEN, cancel_href=CANCEL)),
    "login-long-name": LoginView(
        FormView(
            LONG_CLIENT,
            "/oidc/login",
            form_action=("https://collaboration.identity.stadtwerke-donaueschingen.example/callback",),
        ),
        fault="credentials",
    ),
}
SIGN_UP_FORM = FormView(CLIENT, "/oidc/signup", HIDDEN, CALLBACK, CANCEL)
SIGN_UP = SignUpView(SIGN_UP_FORM, "/oidc/login?interaction=gZ1w", 8)
_TYPED = replace(SIGN_UP, username=USERNAME, name="Amélie Laurent", email="amelie@example.org")
SECOND_FACTOR_FORM = FormView(CLIENT, "/oidc/login/factor", HIDDEN, CALLBACK, CANCEL)
SECOND_FACTOR = SecondFactorView(SECOND_FACTOR_FORM, USERNAME)
SECOND_FACTORS: Mapping[str, SecondFactorView] = {
    "second-factor": SECOND_FACTOR,
    "second-factor-plain": SecondFactorView(FormView(None, "/oidc/device", HIDDEN), USERNAME),
    "second-factor-code": replace(SECOND_FACTOR, fault="code"),
    "second-factor-recovery": replace(
        SECOND_FACTOR, form=replace(SECOND_FACTOR_FORM, client=LONG_CLIENT), fault="recovery"
    ),
    "second-factor-remember": replace(SECOND_FACTOR, may_remember=True),
    "second-factor-both": replace(SECOND_FACTOR, passkey=PASSKEY),
    "second-factor-no-codes": replace(
        SECOND_FACTOR, has_app=False, passkey=PASSKEY, has_recovery_codes=False
    ),
    "second-factor-passkey": replace(SECOND_FACTOR, has_app=False, passkey=PASSKEY),
    "second-factor-passkey-refused": SecondFactorView(
        FormView(None, "/oidc/device", HIDDEN), USERNAME, "passkey", has_app=False, passkey=PASSKEY
    ),
    "second-factor-throttled": replace(SECOND_FACTOR, fault="throttled", retry_after=5),
}
ADD_SECOND_FACTOR = AddSecondFactorView(
    FormView(CLIENT, "/oidc/login/factor/add", HIDDEN, CALLBACK, CANCEL),
    USERNAME,
    "otpauth://totp/id.example.org%3Aamelie.laurent?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
    NEW_PASSKEY,
)
REPLACE_PASSWORD = ReplacePasswordView(
    FormView(CLIENT, "/oidc/login/password", HIDDEN, CALLBACK, CANCEL), USERNAME, 8
)
RECOVERY_CODES = RecoveryCodesView(
    CLIENT,
    tuple(f"{a}{b}{a}{b}-eaye-auda-ocaj" for a in "abcde" for b in "xy"),
    "/oidc/oauth2/auth?interaction=gZ1w",
)
SIGN_UPS: Mapping[str, SignUpView] = {
    "sign-up": SIGN_UP,
    "sign-up-native": replace(SIGN_UP, form=FormView(NATIVE_CLIENT, "/oidc/signup", HIDDEN, ("cellsauth:",))),
    "sign-up-username": replace(_TYPED, username="amelie@example.org", fault="username"),
    "sign-up-taken": replace(_TYPED, fault="taken"),
    "sign-up-password": replace(_TYPED, fault="password"),
    "sign-up-password-characters": replace(_TYPED, fault="password_characters"),
    "sign-up-password-common": replace(_TYPED, fault="password_common"),
    "sign-up-password-name": replace(_TYPED, fault="password_name"),
    "sign-up-name": replace(_TYPED, name="A" * 201, fault="name"),
    "sign-up-email": replace(
        _TYPED, form=replace(SIGN_UP_FORM, client=LONG_CLIENT), email="amelie", fault="email"
    ),
    "sign-up-throttled": replace(_TYPED, fault="throttled", retry_after=60 * 60),
}
RELEASED = tuple(dict.fromkeys(claim for claims in SCOPE_CLAIMS.values() for claim in claims))
NOTES = ApiView(
    "Notes",
    "notes.example.net",
    (("notes:read", LocalizedText("Read your notes", "en")), ("notes:write", None)),
)
CONSENT_FORM = FormView(CLIENT, "/oidc/consent", HIDDEN, CALLBACK)
CONSENTS: Mapping[str, ConsentView] = {
    "consent": ConsentView(
        CONSENT_FORM,
        USERNAME,
        ("openid", "profile", "email", "offline_access"),
    ),
    "consent-claims": ConsentView(CONSENT_FORM, USERNAME, ("openid",), RELEASED),
    "consent-more": ConsentView(
        replace(CONSENT_FORM, client=DOCUMENT_CLIENT), USERNAME, (), apis=(NOTES,), is_more=True
    ),
    "consent-on-device": ConsentView(
        FormView(replace(DOCUMENT_CLIENT, is_on_device=True), "/oidc/consent", HIDDEN, LOOPBACK),
        USERNAME,
        ("openid",),
        apis=(
            ApiView("Calendar", "calendar.example.org", ()),
            ApiView("api.example.net", "api.example.net", ()),
        ),
    ),
    "consent-everything": ConsentView(
        FormView(LONG_CLIENT, "/oidc/consent", HIDDEN, ("cellsauth:",)),
        USERNAME,
        ("openid", "profile", "email", "address", "phone", "offline", "pydio", "groups", "calendar.read"),
        ("birthdate", "zoneinfo", "employee_number"),
    ),
}
DEVICE_URI = "https://id.example.org/oidc/device?user_code=WDJB-MJHT"
DEVICE_FORM = FormView(None, "/oidc/device")
DEVICES: Mapping[str, DeviceView] = {
    "device": DeviceView(DEVICE_FORM),
    "device-complete": DeviceView(DEVICE_FORM, "WDJB-MJHT", complete_uri=DEVICE_URI),
    "device-unknown": DeviceView(DEVICE_FORM, "WDJB-MJHT", "unknown"),
    "device-throttled": DeviceView(DEVICE_FORM, "WDJB-MJHT", "throttled"),
}
CONFIRM_DEVICE = ConfirmDeviceView(
    FormView(NATIVE_CLIENT, "/oidc/device", HIDDEN),
    USERNAME,
    "WDJB-MJHT",
    ("openid", "profile", "offline_access", "calendar.read"),
)
SELECT_ACCOUNT = SelectAccountView(
    FormView(CLIENT, "/oidc/login/account", HIDDEN, CALLBACK),
    (AccountView("1", USERNAME), AccountView("2", "j.o.h.n+projects@a-rather-long-domain.example")),
)
LOGOUTS: Mapping[str, LogoutView] = {
    "confirm-logout": LogoutView(FormView(CLIENT, "/oidc/logout", HIDDEN), USERNAME),
    "confirm-logout-plain": LogoutView(FormView(None, "/oidc/logout", HIDDEN)),
}
SIGNED_OUTS: Mapping[str, SignedOutView] = {
    "signed-out": SignedOutView(CLIENT, "https://files.example.org/"),
    "signed-out-plain": SignedOutView(None),
    "signed-out-back": SignedOutView(None, "https://files.example.org/"),
    "signed-out-telling": SignedOutView(
        CLIENT, "https://files.example.org/", ("https://rp.example.org/logout",)
    ),
}
OUT_OF_BANDS: Mapping[str, OutOfBandView] = {
    "out-of-band": OutOfBandView("ac_1vJf2mUy5eYkB0vXq8n4Wc7TzRaHs9LdPgKiOxEw3Qo"),
    "out-of-band-error": OutOfBandView(error="access_denied"),
    "out-of-band-none": OutOfBandView(),
}
ERRORS: Mapping[str, tuple[ErrorView, int]] = {
    "error": (
        ErrorView("invalid_request", "redirect_uri is not registered for this client", "01JD3W8PZ6Q9"),
        400,
    ),
    "error-expired": (ErrorView("expired", request_id="01JD3W8PZ6Q9"), 400),
    "error-expired-back": (
        ErrorView("expired", back_href="https://files.example.org/start", client=LONG_CLIENT),
        410,
    ),
    "error-link-expired": (ErrorView("link_expired", back_href="/oidc/account"), 410),
    "error-cookie": (ErrorView("cookie_missing", back_href="https://files.example.org/", client=CLIENT), 403),
    "error-stale": (ErrorView("stale_form", back_href="/oidc/logout"), 403),
    "error-not-found": (ErrorView("not_found"), 404),
    "error-declined": (ErrorView("sign_in_declined", back_href="/oidc/account"), 403),
    "error-method": (ErrorView("method_not_allowed"), 405),
    "error-requests": (ErrorView("too_many_requests", retry_after=60), 429),
    "error-server": (ErrorView("server_error", request_id="01JD3W8PZ6Q9"), 500),
    "error-unavailable": (ErrorView("temporarily_unavailable", request_id="01JD3W8PZ6Q9"), 503),
}
LEAVINGS: Mapping[str, LeavingView] = {
    "leaving": LeavingView(LONG_CLIENT, "org.example.app:/cb?error=x"),
    "leaving-form": LeavingView(NATIVE_CLIENT, "cellsauth://callback", {"error": "access_denied"}),
    "leaving-nowhere": LeavingView(DOCUMENT_CLIENT, "javascript:alert(1)"),
}


def responses(pages: Pages, locale: str) -> dict[str, web.Response]:
    """Every page by the name of its state."""
    return {
        **{name: pages.login(view, locale) for name, view in LOGINS.items()},
        **{name: pages.sign_up(view, locale) for name, view in SIGN_UPS.items()},
        **{name: pages.second_factor(view, locale) for name, view in SECOND_FACTORS.items()},
        "add-second-factor": pages.add_second_factor(ADD_SECOND_FACTOR, locale),
        "add-second-factor-passkey": pages.add_second_factor(
            replace(ADD_SECOND_FACTOR, uri=None, fault="passkey"), locale
        ),
        "add-second-factor-plain": pages.add_second_factor(
            replace(ADD_SECOND_FACTOR, form=replace(SIGN_UP_FORM, cancel_href=None), uri=None), locale
        ),
        "add-second-factor-app": pages.add_second_factor(replace(ADD_SECOND_FACTOR, passkey=None), locale),
        "add-second-factor-code": pages.add_second_factor(
            replace(ADD_SECOND_FACTOR, form=replace(SIGN_UP_FORM, cancel_href=None), fault="code"), locale
        ),
        "replace-password": pages.replace_password(REPLACE_PASSWORD, locale),
        "replace-password-same": pages.replace_password(
            replace(REPLACE_PASSWORD, form=replace(SIGN_UP_FORM, cancel_href=None), fault="password_same"),
            locale,
        ),
        "replace-password-plain": pages.replace_password(
            replace(REPLACE_PASSWORD, form=FormView(None, "/oidc/login/password", HIDDEN)), locale
        ),
        "recovery-codes": pages.recovery_codes(RECOVERY_CODES, locale),
        **{name: pages.consent(view, locale) for name, view in CONSENTS.items()},
        **{name: pages.device(view, locale) for name, view in DEVICES.items()},
        "confirm-device": pages.confirm_device(CONFIRM_DEVICE, locale),
        "device-allowed": pages.device_done(DeviceDoneView(NATIVE_CLIENT, "allowed"), locale),
        "device-denied": pages.device_done(DeviceDoneView(LONG_CLIENT, "denied"), locale),
        "device-refused": pages.device_done(DeviceDoneView(LONG_CLIENT, "refused"), locale),
        "select-account": pages.select_account(SELECT_ACCOUNT, locale),
        **{name: pages.confirm_logout(view, locale) for name, view in LOGOUTS.items()},
        "sign-out-incomplete": pages.sign_out_incomplete(LOGOUTS["confirm-logout-plain"], locale),
        **{name: pages.signed_out(view, locale) for name, view in SIGNED_OUTS.items()},
        **{name: pages.out_of_band(view, locale) for name, view in OUT_OF_BANDS.items()},
        **{name: pages.error(view, locale, status) for name, (view, status) in ERRORS.items()},
        **{name: pages.leaving(view, locale) for name, view in LEAVINGS.items()},
        "form-post": pages.form_post(CALLBACK[0], {"code": "ac_1", "state": "s"}, locale),
        "form-post-device": pages.form_post(LOOPBACK[0], {"code": "ac_1"}, locale),
        **local_responses(pages, locale),
        **account_responses(pages, locale),
    }


def application(pages: Pages) -> web.Application:
    """Serves /{locale}/{state} and the static files. A form is answered with its fields.

    The samples of a language are rendered at the first request for one of them.
    """

    @cache
    def samples(locale: str) -> dict[str, web.Response]:
        return responses(pages, locale)

    async def page(request: web.Request) -> web.Response:
        sample = samples(request.match_info["locale"])[request.match_info["state"]]
        return web.Response(status=sample.status, headers=sample.headers, body=sample.body)

    async def sent(request: web.Request) -> web.Response:
        return web.json_response(dict(await request.post()))

    app = web.Application()
    app[ASSETS] = pages.renderer.assets
    app.router.add_get(STATIC.path, static)
    app.router.add_get(f"/{{locale:{'|'.join(UI_LOCALES)}}}/{{state}}", page)
    app.router.add_post("/oidc/{page:(?!static/).+}", sent)
    return app
