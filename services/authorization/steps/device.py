"""The device page: a user types the code that a device shows, signs in, and decides (RFC 8628 §3.3).

Every step is a form to the same path. Only signed-in users learn whether a code is pending, and only a few
times. Opening a page decides nothing.
"""

import math
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from aiohttp import web

from services.authorization.authentication.active_session import ActiveSessions
from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_session import NewSessions, SignInForm
from services.authorization.authentication.password import PasswordAuthentication, Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.sealed import seal, unseal
from services.authorization.authentication.second_factor import RECOVERY_CODE, SecondFactorAuthentication
from services.authorization.authentication.user_codes import DeviceCodeInFlight, UserCodes
from services.authorization.interaction.consent_question import scopes_at
from shared.browser.cookies import Cookies
from shared.browser.errors import Expired
from shared.browser.form_token import FORM_TOKEN, form_token, is_form_token
from shared.browser.language import UI_LOCALES, language, note_ui_locales, ui_locales_fields
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
from shared.browser.same_origin import check_same_origin
from shared.config.settings import Settings
from shared.live import clock
from shared.model import Approved, Authorization, Denied, Session
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, methods_of, satisfied
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.oauth.resource.target import owners
from shared.oauth.user_code import typed
from shared.paths import DEVICE
from shared.server.metrics import count_event
from shared.store import Consents, DeviceCodes
from shared.web.form import form, query
from shared.web.forwarded import client_address

STEP, USER_CODE, PROVEN = "step", "user_code", "proven"
WRONG = 400
TOO_MANY = 429
MAX_SHOWN = 32  # characters of the typed code that are shown again

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DeviceStep:
    """The collaborators of the device page."""

    settings: Settings
    active_sessions: ActiveSessions
    authentication: PasswordAuthentication
    second_factor: SecondFactorAuthentication
    new_sessions: NewSessions
    cookies: Cookies
    pages: Pages
    device_codes: DeviceCodes
    user_codes: UserCodes
    consents: Consents

    async def get(self, request: web.Request) -> web.Response:
        """The form, filled in with the code of the URI. The user compares it and continues with a button."""
        user_code = typed(query(request).unique(USER_CODE) or "")
        return self._ask(request, user_code or "", has_qr_code=user_code is not None)

    async def post(self, request: web.Request) -> web.Response:
        """Handle the form of any step."""
        check_same_origin(request, self.settings.origin)
        fields = await form(request)
        note_ui_locales(request, fields.unique(UI_LOCALES))
        user_code = typed(fields.unique(USER_CODE) or "")
        session = await self._session(request)
        if user_code is None:
            return self._ask(request, (fields.unique(USER_CODE) or "")[:MAX_SHOWN], "unknown", WRONG)
        match fields.unique(STEP):
            case "decide" if session:
                return await self._decide(request, fields, user_code, session)
            case "sign_in":
                return await self._sign_in(request, fields, user_code)
            case "second_factor":
                return await self._show_second_factor(request, fields, user_code)
            case _ if session:
                handle = self.cookies.session_handle(request, session.session_key)
                return await self._confirm(request, user_code, session, handle)
        return self._login(request, user_code)

    async def _session(self, request: web.Request) -> Session | None:
        """The live session. None also if it lacks the second factor that everybody needs."""
        session = await self.active_sessions.find(request)
        if session is None or self.settings.second_factor != "required":
            return session
        is_enough = ACR_MULTIPLE_FACTORS in satisfied(methods_of(session.authentication.amr))
        return session if is_enough else None

    async def _sign_in(self, request: web.Request, fields: Parameters, user_code: str) -> web.Response:
        browser = self.cookies.browser_of_form(request, fields.unique(FORM_TOKEN), _purpose(user_code))
        if browser is None:
            return self._login(request, user_code)
        match await self.authentication.authenticate(fields, client_address(request)):
            case Throttled(wait):
                seconds = int(wait.total_seconds()) + 1
                return self._login(request, user_code, "throttled", TOO_MANY, retry_after=seconds)
            case None:
                return self._login(request, user_code, "credentials", WRONG)
            case authenticated:
                pass
        if authenticated.has_second_factor and self.settings.has_second_factors:
            return self._second_factor(request, user_code, browser, Proven.of(authenticated))
        if self.settings.second_factor == "required":
            return self._login(request, user_code, "second_factor", WRONG)
        return await self._begin(request, user_code, browser, authenticated)

    async def _show_second_factor(
        self, request: web.Request, fields: Parameters, user_code: str
    ) -> web.Response:
        browser = self.cookies.browser_of_form(request, fields.unique(FORM_TOKEN), _purpose(user_code))
        purpose = f"{_purpose(user_code)} {browser}"
        keys = [key.get_secret_value() for key in self.settings.secret_key]
        proven = unseal(keys, fields.unique(PROVEN), purpose, clock.now()) if browser else None
        if browser is None or proven is None:
            return self._login(request, user_code)
        match await self.second_factor.authenticate(proven, fields, client_address(request)):
            case Throttled(wait):
                seconds = math.ceil(wait.total_seconds())
                return self._second_factor(
                    request, user_code, browser, proven, fault="throttled", retry_after=seconds
                )
            case None:
                fault: SecondFactorFault = "recovery" if fields.unique(RECOVERY_CODE) else "code"
                return self._second_factor(request, user_code, browser, proven, fault=fault)
            case authenticated:
                return await self._begin(request, user_code, browser, authenticated)

    async def _begin(
        self, request: web.Request, user_code: str, browser: str, authenticated: Authenticated
    ) -> web.Response:
        sent = SignInForm(browser, _purpose(user_code))
        new = await self.new_sessions.begin(request, authenticated, sent)
        if new is None:
            return self._login(request, user_code, "credentials", WRONG)
        response = await self._confirm(request, user_code, new.session, new.handle)
        self.new_sessions.set_cookies(response, new)
        return response

    async def _confirm(
        self, request: web.Request, user_code: str, session: Session, handle: str
    ) -> web.Response:
        match await self.user_codes.find(user_code, session):
            case DeviceCodeInFlight() as pending:
                pass
            case fault:
                return self._ask(request, user_code, fault, TOO_MANY if fault == "throttled" else WRONG)
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
                FORM_TOKEN: form_token(handle, _purpose(user_code)),
            },
            tuple(ApiView.of(each, scopes, locale) for each, scopes in scopes_at(pending.code.scope, apis)),
        )
        return self.pages.confirm_device(view, locale)

    async def _decide(
        self, request: web.Request, fields: Parameters, user_code: str, session: Session
    ) -> web.Response:
        handle = self.cookies.session_handle(request, session.session_key)
        if not is_form_token(fields.unique(FORM_TOKEN), handle, _purpose(user_code)):
            return await self._confirm(request, user_code, session, handle)
        pending = await self.user_codes.find(user_code, session)
        if not isinstance(pending, DeviceCodeInFlight):
            return self._ask(request, user_code, pending, TOO_MANY if pending == "throttled" else WRONG)
        match fields.unique("decision"):
            case "allow":
                is_allowed = True
            case "deny":
                is_allowed = False
            case _:
                raise InvalidRequest("decision must be allow or deny")
        if not await self._write(pending, session, is_allowed=is_allowed):
            raise Expired("the code has already been used", again=DEVICE.path)
        view = DeviceDoneView(ClientView.of(pending.client), is_allowed)
        return self.pages.device_done(view, language(request, self.pages))

    async def _write(self, pending: DeviceCodeInFlight, session: Session, *, is_allowed: bool) -> bool:
        state: Approved | Denied = Denied()
        if is_allowed:
            authorization = Authorization(
                client_id=pending.client.client_id,
                user_id=session.user_id,
                sid=session.sid,
                scope=pending.code.scope,
                authentication=session.authentication,
                client_epoch=pending.code.client_epoch,
                resources=pending.code.resources,
            )
            state = Approved(authorization, session.epoch)
            # This consent is not remembered: a client_id does not identify a device.
            await self.consents.add(
                session.user_id, pending.client.client_id, pending.code.scope, is_remembered=False
            )
            count_event("consent")
        logger.info("device_decided", client_id=pending.client.client_id, is_allowed=is_allowed)
        return await self.device_codes.decide(pending.code_hash, pending.code, state)

    def _ask(
        self,
        request: web.Request,
        user_code: str,
        fault: DeviceFault | None = None,
        status: int = 200,
        *,
        has_qr_code: bool = False,
    ) -> web.Response:
        uri = f"{DEVICE.at(self.settings.issuer)}?{urlencode({USER_CODE: user_code})}"
        hidden = {**ui_locales_fields(request), STEP: "code"}
        view = DeviceView(DEVICE.path, user_code, fault, uri if has_qr_code else None, hidden)
        return self.pages.device(view, language(request, self.pages), status)

    def _second_factor(
        self,
        request: web.Request,
        user_code: str,
        browser: str,
        proven: Proven,
        *,
        fault: SecondFactorFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        """The form carries what the password has proven, sealed for this browser and code."""
        sealed = seal(
            self.settings.secret_key[0].get_secret_value(), proven, f"{_purpose(user_code)} {browser}"
        )
        hidden = {
            **ui_locales_fields(request),
            STEP: "second_factor",
            USER_CODE: user_code,
            PROVEN: sealed,
            FORM_TOKEN: form_token(browser, _purpose(user_code)),
        }
        view = SecondFactorView(
            None, DEVICE.path, proven.username, fault, retry_after=retry_after, hidden=hidden
        )
        return self.pages.second_factor(view, language(request, self.pages))

    def _login(
        self,
        request: web.Request,
        user_code: str,
        fault: LoginFault | None = None,
        status: int = 200,
        retry_after: int | None = None,
    ) -> web.Response:
        """The login form, bound to this browser so that another site cannot sign it in."""
        browser = self.cookies.newest_browser_handle(request)
        token = form_token(browser, _purpose(user_code))
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


def _purpose(user_code: str) -> str:
    return f"device {user_code}"
