"""The device page: a user types the code that a device shows, signs in, and decides (RFC 8628 §3.3).

Every step is a form to the same path. Only signed-in users learn whether a code is pending, and only a few
times. Opening a page decides nothing.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_session import NewSessions, SignInForm
from services.authorization.authentication.password import PasswordAuthentication, Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.second_factor import RECOVERY_CODE, SecondFactorAuthentication
from services.authorization.device.decisions import DeviceDecisions, is_allowed
from services.authorization.device.forms import STEP, USER_CODE, DeviceForms, purpose_of
from services.authorization.device.user_codes import DeviceCodeInFlight, UserCodes
from services.authorization.interaction.consent_question import scopes_at
from shared.browser.active_session import ActiveSessions
from shared.browser.cookies import Cookies
from shared.browser.errors import Expired
from shared.browser.language import UI_LOCALES, language, note_ui_locales
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
from shared.model import Session
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, SecondFactor, methods_of, satisfied
from shared.oauth.parameters import Parameters
from shared.oauth.resource.target import accept, owners
from shared.oauth.user_code import typed
from shared.paths import DEVICE
from shared.web.form import form, query

MAX_SHOWN = 32  # characters of the typed code that are shown again


@dataclass(frozen=True, slots=True)
class DeviceStep:
    """The collaborators of the device page."""

    settings: Settings
    active_sessions: ActiveSessions
    authentication: PasswordAuthentication
    second_factor: SecondFactorAuthentication
    new_sessions: NewSessions
    cookies: Cookies
    forms: DeviceForms
    pages: Pages
    user_codes: UserCodes
    decisions: DeviceDecisions

    async def get(self, request: web.Request) -> web.Response:
        """The form, filled in with the code of the URI. The user compares it and continues with a button."""
        user_code = typed(query(request).unique(USER_CODE) or "")
        if user_code is None:
            return self._ask(request)
        uri = f"{DEVICE.at(self.settings.issuer)}?{urlencode({USER_CODE: user_code})}"
        return self._ask(request, user_code, complete_uri=uri)

    async def post(self, request: web.Request) -> web.Response:
        """Handle the form of any step."""
        check_same_origin(request, self.settings.origin)
        fields = await form(request)
        note_ui_locales(request, fields.unique(UI_LOCALES))
        user_code = typed(fields.unique(USER_CODE) or "")
        session = await self._session(request)
        if user_code is None:
            return self._ask(request, (fields.unique(USER_CODE) or "")[:MAX_SHOWN], "unknown")
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
        browser = self.forms.browser(request, fields, user_code)
        if browser is None:
            return self._login(request, user_code)
        match await self.authentication.authenticate(request, fields):
            case Throttled() as throttled:
                return self._login(request, user_code, "throttled", throttled.seconds)
            case None:
                return self._login(request, user_code, "credentials")
            case authenticated:
                pass
        if self._shows_second_factor(authenticated):
            return self._second_factor(request, user_code, browser, Proven.of(authenticated))
        if self.settings.second_factor == "required":
            return self._login(request, user_code, "second_factor")
        return await self._begin(request, user_code, browser, authenticated)

    def _shows_second_factor(self, authenticated: Authenticated) -> bool:
        if self.settings.second_factor == "required":
            return SecondFactor.APP in authenticated.second_factors
        return self.settings.has_second_factors and authenticated.shows_second_factor

    async def _show_second_factor(
        self, request: web.Request, fields: Parameters, user_code: str
    ) -> web.Response:
        browser = self.forms.browser(request, fields, user_code)
        proven = self.forms.proven(fields, user_code, browser, clock.now()) if browser else None
        if browser is None or proven is None:
            return self._login(request, user_code)
        match await self.second_factor.authenticate(request, proven, fields):
            case Throttled() as throttled:
                return self._second_factor(
                    request, user_code, browser, proven, fault="throttled", retry_after=throttled.seconds
                )
            case None:
                fault: SecondFactorFault = "recovery" if fields.unique(RECOVERY_CODE) else "code"
                return self._second_factor(request, user_code, browser, proven, fault=fault)
            case authenticated:
                return await self._begin(request, user_code, browser, authenticated)

    async def _begin(
        self, request: web.Request, user_code: str, browser: str, authenticated: Authenticated
    ) -> web.Response:
        sent = SignInForm(browser, purpose_of(user_code))
        new = await self.new_sessions.begin(request, authenticated, sent)
        if new is None:
            return self._login(request, user_code, "credentials")
        response = await self._confirm(request, user_code, new.session, new.handle)
        self.new_sessions.set_cookies(response, new)
        return response

    async def _confirm(
        self, request: web.Request, user_code: str, session: Session, handle: str
    ) -> web.Response:
        in_flight = await self.user_codes.find(user_code, session)
        if not isinstance(in_flight, DeviceCodeInFlight):
            return self._ask(request, user_code, in_flight)
        if not accept(in_flight.resources, session.authentication.amr):
            return await self._step_up(request, user_code, session)
        locale, scope = language(request, self.pages), in_flight.code.scope
        apis = tuple(each for each in in_flight.resources if not each.is_own)
        view = ConfirmDeviceView(
            self.forms.decision(request, user_code, handle, ClientView.of(in_flight.client)),
            session.username,
            user_code,
            tuple(token for token in scope if not owners(token, apis)),
            tuple(ApiView.of(each, scopes, locale) for each, scopes in scopes_at(scope, apis)),
        )
        return self.pages.confirm_device(view, locale)

    async def _step_up(self, request: web.Request, user_code: str, session: Session) -> web.Response:
        """Ask for the second factor that an API requires. It is added elsewhere."""
        if not (self.settings.has_second_factors and await self.second_factor.is_set_up(session.user_id)):
            return self._login(request, user_code, "second_factor")
        browser = self.cookies.newest_browser_handle(request)
        proven = Proven.by_session(session, frozenset({SecondFactor.APP}))
        response = self._second_factor(request, user_code, browser, proven)
        self.cookies.set_browser(response, browser)
        return response

    async def _decide(
        self, request: web.Request, fields: Parameters, user_code: str, session: Session
    ) -> web.Response:
        handle = self.cookies.session_handle(request, session.session_key)
        if not self.forms.is_decision(fields, user_code, handle):
            return await self._confirm(request, user_code, session, handle)
        in_flight = await self.user_codes.find(user_code, session)
        if not isinstance(in_flight, DeviceCodeInFlight):
            return self._ask(request, user_code, in_flight)
        allowed = is_allowed(fields)
        if allowed and not accept(in_flight.resources, session.authentication.amr):
            return await self._step_up(request, user_code, session)
        if allowed:
            is_first = await self.decisions.allow(in_flight, session)
        else:
            is_first = await self.decisions.deny(in_flight)
        if not is_first:
            raise Expired("the code has already been used", again=DEVICE.path)
        view = DeviceDoneView(ClientView.of(in_flight.client), allowed)
        return self.pages.device_done(view, language(request, self.pages))

    def _ask(
        self,
        request: web.Request,
        user_code: str = "",
        fault: DeviceFault | None = None,
        *,
        complete_uri: str | None = None,
    ) -> web.Response:
        view = DeviceView(self.forms.code(request), user_code, fault, complete_uri)
        return self.pages.device(view, language(request, self.pages))

    def _login(
        self,
        request: web.Request,
        user_code: str,
        fault: LoginFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        browser = self.cookies.newest_browser_handle(request)
        blank = self.forms.sign_in(request, user_code, browser)
        view = LoginView(blank, fault=fault, retry_after=retry_after)
        response = self.pages.login(view, language(request, self.pages))
        if fault is None:  # otherwise the browser sent the form, and has the cookie
            self.cookies.set_browser(response, browser)
        return response

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
        blank = self.forms.second_factor(request, user_code, browser, proven)
        view = SecondFactorView(blank, proven.username, fault, retry_after)
        return self.pages.second_factor(view, language(request, self.pages))
