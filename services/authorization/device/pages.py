"""The pages of the device flow. Each form carries what its next step needs."""

from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from services.authorization.authentication.proven import Proven
from services.authorization.authentication.sealed import seal
from services.authorization.device.user_codes import DeviceCodeInFlight
from services.authorization.interaction.consent_question import scopes_at
from shared.browser.cookies import Cookies
from shared.browser.form_token import FORM_TOKEN, form_token
from shared.browser.language import language, ui_locales_fields
from shared.browser.pages import (
    ApiView,
    ClientView,
    ConfirmDeviceView,
    DeviceDoneView,
    DeviceFault,
    DeviceView,
    LoginFault,
    LoginView,
    Pages,
    SecondFactorFault,
    SecondFactorView,
)
from shared.config.settings import Settings
from shared.model import Session
from shared.oauth.resource.target import owners
from shared.paths import DEVICE

STEP, USER_CODE, PROVEN = "step", "user_code", "proven"
WRONG = 400
TOO_MANY = 429


def purpose(user_code: str) -> str:
    """What a form token of these pages is for."""
    return f"device {user_code}"


@dataclass(frozen=True, slots=True)
class DevicePages:
    """Renders the pages."""

    settings: Settings
    cookies: Cookies
    pages: Pages

    def ask(
        self,
        request: web.Request,
        user_code: str,
        fault: DeviceFault | None = None,
        status: int = 200,
        *,
        has_qr_code: bool = False,
    ) -> web.Response:
        """The form for the code."""
        uri = f"{DEVICE.at(self.settings.issuer)}?{urlencode({USER_CODE: user_code})}"
        hidden = {**ui_locales_fields(request), STEP: "code"}
        view = DeviceView(DEVICE.path, user_code, fault, uri if has_qr_code else None, hidden)
        return self.pages.device(view, language(request, self.pages), status)

    def confirm(
        self, request: web.Request, user_code: str, pending: DeviceCodeInFlight, session: Session, handle: str
    ) -> web.Response:
        """The question, bound to the session with this *handle*."""
        locale = language(request, self.pages)
        apis = tuple(each for each in pending.resources if not each.is_own)
        view = ConfirmDeviceView(
            ClientView.of(pending.client),
            DEVICE.path,
            session.username,
            user_code,
            tuple(token for token in pending.code.scope if not owners(token, apis)),
            {
                **ui_locales_fields(request),
                STEP: "decide",
                USER_CODE: user_code,
                FORM_TOKEN: form_token(handle, purpose(user_code)),
            },
            tuple(ApiView.of(each, scopes, locale) for each, scopes in scopes_at(pending.code.scope, apis)),
        )
        return self.pages.confirm_device(view, locale)

    def done(self, request: web.Request, pending: DeviceCodeInFlight, *, is_allowed: bool) -> web.Response:
        """The last page."""
        view = DeviceDoneView(ClientView.of(pending.client), is_allowed)
        return self.pages.device_done(view, language(request, self.pages))

    def second_factor(
        self,
        request: web.Request,
        user_code: str,
        browser: str,
        proven: Proven,
        *,
        fault: SecondFactorFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        """The form carries what has been proven, sealed for this browser and code."""
        sealed = seal(
            self.settings.secret_key[0].get_secret_value(), proven, f"{purpose(user_code)} {browser}"
        )
        hidden = {
            **ui_locales_fields(request),
            STEP: "second_factor",
            USER_CODE: user_code,
            PROVEN: sealed,
            FORM_TOKEN: form_token(browser, purpose(user_code)),
        }
        view = SecondFactorView(
            None, DEVICE.path, proven.username, fault, retry_after=retry_after, hidden=hidden
        )
        return self.pages.second_factor(view, language(request, self.pages))

    def login(
        self,
        request: web.Request,
        user_code: str,
        fault: LoginFault | None = None,
        status: int = 200,
        retry_after: int | None = None,
    ) -> web.Response:
        """The login form, bound to this browser so that another site cannot sign it in."""
        browser = self.cookies.newest_browser_handle(request)
        token = form_token(browser, purpose(user_code))
        view = LoginView(
            None,
            DEVICE.path,
            fault=fault,
            retry_after=retry_after,
            hidden={
                **ui_locales_fields(request),
                STEP: "sign_in",
                USER_CODE: user_code,
                FORM_TOKEN: token,
            },
        )
        response = self.pages.login(view, language(request, self.pages), status)
        if fault is None:  # otherwise the browser sent the form, and has the cookie
            self.cookies.set_browser(response, browser)
        return response
