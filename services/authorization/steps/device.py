"""The device page: a user types the code that a device shows, signs in, and decides (RFC 8628 §3.3).

Every step is a form to the same path. Only signed-in users learn whether a code is pending, and only a few
times. Opening a page decides nothing.
"""

import math
from dataclasses import dataclass

import structlog
from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_session import NewSessions, SignInForm
from services.authorization.authentication.password import PasswordAuthentication, Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.sealed import unseal
from services.authorization.authentication.second_factor import RECOVERY_CODE, SecondFactorAuthentication
from services.authorization.device.pages import (
    PROVEN,
    STEP,
    TOO_MANY,
    USER_CODE,
    WRONG,
    DevicePages,
    purpose,
)
from services.authorization.device.user_codes import DeviceCodeInFlight, UserCodes
from shared.browser.active_session import ActiveSessions
from shared.browser.cookies import Cookies
from shared.browser.errors import Expired
from shared.browser.form_token import FORM_TOKEN, is_form_token
from shared.browser.language import UI_LOCALES, note_ui_locales
from shared.browser.pages import SecondFactorFault
from shared.browser.same_origin import check_same_origin
from shared.config.settings import Settings
from shared.live import clock
from shared.model import Approved, Authorization, Denied, Session
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, methods_of, satisfied
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.oauth.resource.target import accept
from shared.oauth.user_code import typed
from shared.paths import DEVICE
from shared.server.metrics import count_event
from shared.store import Consents, DeviceCodes
from shared.web.form import form, query
from shared.web.forwarded import client_address

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
    pages: DevicePages
    device_codes: DeviceCodes
    user_codes: UserCodes
    consents: Consents

    async def get(self, request: web.Request) -> web.Response:
        """The form, filled in with the code of the URI. The user compares it and continues with a button."""
        user_code = typed(query(request).unique(USER_CODE) or "")
        return self.pages.ask(request, user_code or "", has_qr_code=user_code is not None)

    async def post(self, request: web.Request) -> web.Response:
        """Handle the form of any step."""
        check_same_origin(request, self.settings.origin)
        fields = await form(request)
        note_ui_locales(request, fields.unique(UI_LOCALES))
        user_code = typed(fields.unique(USER_CODE) or "")
        session = await self._session(request)
        if user_code is None:
            return self.pages.ask(request, (fields.unique(USER_CODE) or "")[:MAX_SHOWN], "unknown", WRONG)
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
        return self.pages.login(request, user_code)

    async def _session(self, request: web.Request) -> Session | None:
        """The live session. None also if it lacks the second factor that everybody needs."""
        session = await self.active_sessions.find(request)
        if session is None or self.settings.second_factor != "required":
            return session
        is_enough = ACR_MULTIPLE_FACTORS in satisfied(methods_of(session.authentication.amr))
        return session if is_enough else None

    async def _sign_in(self, request: web.Request, fields: Parameters, user_code: str) -> web.Response:
        browser = self.cookies.browser_of_form(request, fields.unique(FORM_TOKEN), purpose(user_code))
        if browser is None:
            return self.pages.login(request, user_code)
        match await self.authentication.authenticate(fields, client_address(request)):
            case Throttled(wait):
                seconds = int(wait.total_seconds()) + 1
                return self.pages.login(request, user_code, "throttled", TOO_MANY, retry_after=seconds)
            case None:
                return self.pages.login(request, user_code, "credentials", WRONG)
            case authenticated:
                pass
        if authenticated.has_second_factor and self.settings.has_second_factors:
            return self.pages.second_factor(request, user_code, browser, Proven.of(authenticated))
        if self.settings.second_factor == "required":
            return self.pages.login(request, user_code, "second_factor", WRONG)
        return await self._begin(request, user_code, browser, authenticated)

    async def _show_second_factor(
        self, request: web.Request, fields: Parameters, user_code: str
    ) -> web.Response:
        browser = self.cookies.browser_of_form(request, fields.unique(FORM_TOKEN), purpose(user_code))
        sealed_for = f"{purpose(user_code)} {browser}"
        keys = [key.get_secret_value() for key in self.settings.secret_key]
        proven = unseal(keys, fields.unique(PROVEN), sealed_for, clock.now()) if browser else None
        if browser is None or proven is None:
            return self.pages.login(request, user_code)
        match await self.second_factor.authenticate(proven, fields, client_address(request)):
            case Throttled(wait):
                seconds = math.ceil(wait.total_seconds())
                return self.pages.second_factor(
                    request, user_code, browser, proven, fault="throttled", retry_after=seconds
                )
            case None:
                fault: SecondFactorFault = "recovery" if fields.unique(RECOVERY_CODE) else "code"
                return self.pages.second_factor(request, user_code, browser, proven, fault=fault)
            case authenticated:
                return await self._begin(request, user_code, browser, authenticated)

    async def _begin(
        self, request: web.Request, user_code: str, browser: str, authenticated: Authenticated
    ) -> web.Response:
        sent = SignInForm(browser, purpose(user_code))
        new = await self.new_sessions.begin(request, authenticated, sent)
        if new is None:
            return self.pages.login(request, user_code, "credentials", WRONG)
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
                return self.pages.ask(request, user_code, fault, TOO_MANY if fault == "throttled" else WRONG)
        if not accept(pending.resources, session.authentication.amr):
            return await self._step_up(request, user_code, session)
        return self.pages.confirm(request, user_code, pending, session, handle)

    async def _step_up(self, request: web.Request, user_code: str, session: Session) -> web.Response:
        """Ask for the second factor that an API requires. It is added elsewhere."""
        if not (self.settings.has_second_factors and await self.second_factor.is_set_up(session.user_id)):
            return self.pages.login(request, user_code, "second_factor", WRONG)
        browser = self.cookies.newest_browser_handle(request)
        response = self.pages.second_factor(request, user_code, browser, Proven.by_session(session))
        self.cookies.set_browser(response, browser)
        return response

    async def _decide(
        self, request: web.Request, fields: Parameters, user_code: str, session: Session
    ) -> web.Response:
        handle = self.cookies.session_handle(request, session.session_key)
        if not is_form_token(fields.unique(FORM_TOKEN), handle, purpose(user_code)):
            return await self._confirm(request, user_code, session, handle)
        pending = await self.user_codes.find(user_code, session)
        if not isinstance(pending, DeviceCodeInFlight):
            return self.pages.ask(request, user_code, pending, TOO_MANY if pending == "throttled" else WRONG)
        match fields.unique("decision"):
            case "allow":
                is_allowed = accept(pending.resources, session.authentication.amr)
                if not is_allowed:
                    return await self._step_up(request, user_code, session)
            case "deny":
                is_allowed = False
            case _:
                raise InvalidRequest("decision must be allow or deny")
        if not await self._write(pending, session, is_allowed=is_allowed):
            raise Expired("the code has already been used", again=DEVICE.path)
        return self.pages.done(request, pending, is_allowed=is_allowed)

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
