"""The device page: a user types the code that a device shows, signs in, and decides (RFC 8628 §3.3).

Every step is a form to the same path. Only signed-in users learn whether a code is pending, and only a few
times. Opening a page decides nothing.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from services.authorization.authentication.new_session import NewSessions, SignInForm
from services.authorization.device.decisions import DeviceDecisions, is_allowed
from services.authorization.device.forms import STEP, USER_CODE, DeviceForms
from services.authorization.device.sent_form import SentForm
from services.authorization.device.sign_in import (
    CompleteSignIn,
    DeviceSignIn,
    FirstFactorNeeded,
    SignInOutcome,
)
from services.authorization.device.sign_in_pages import DeviceSignInPages
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
    DeviceOutcome,
    DeviceView,
    Pages,
)
from shared.browser.same_origin import check_same_origin
from shared.config.settings import Settings
from shared.model import Session
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, methods_of, satisfied
from shared.oauth.resource.target import accept, owners
from shared.oauth.user_code import typed
from shared.paths import DEVICE
from shared.web.form import form, query

MAX_SHOWN = 32  # characters of the typed code that are shown again


@dataclass(frozen=True, slots=True)
class DevicePage:
    """The collaborators of the device page."""

    settings: Settings
    active_sessions: ActiveSessions
    sign_in: DeviceSignIn
    sign_in_pages: DeviceSignInPages
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
        session = await self._session(request)
        text = fields.unique(USER_CODE) or ""
        if (user_code := typed(text)) is None:
            return self._ask(request, text[:MAX_SHOWN], "unknown")
        sent = SentForm(request, fields, user_code)
        match fields.unique(STEP):
            case "decide" if session:
                return await self._decide(sent, session)
            case "sign_in":
                return await self._continue(sent, await self.sign_in.first(sent))
            case "second_factor":
                return await self._continue(sent, await self.sign_in.second(sent))
            case _ if session:
                return await self._confirm(sent, session, self._handle(sent, session))
        return self.sign_in_pages.first(sent, FirstFactorNeeded())

    async def _session(self, request: web.Request) -> Session | None:
        """The live session. None also if it lacks the second factor that its user needs."""
        session = await self.active_sessions.find(request)
        if session is None or not self.settings.demands_second_factor(of_group=session.needs_second_factor):
            return session
        is_enough = ACR_MULTIPLE_FACTORS in satisfied(methods_of(session.authentication.amr))
        return session if is_enough else None

    async def _continue(self, sent: SentForm, outcome: SignInOutcome) -> web.Response:
        """Begin a session once the user has shown all that is needed, and ask for the decision."""
        if not isinstance(outcome, CompleteSignIn):
            return await self.sign_in_pages.show(sent, outcome)
        new = await self.new_sessions.begin(
            sent.request, outcome.authenticated, SignInForm(outcome.browser, sent.purpose)
        )
        if new is None:
            return self.sign_in_pages.first(sent, FirstFactorNeeded("credentials"))
        response = await self._confirm(sent, new.session, new.handle)
        self.new_sessions.set_cookies(response, new)
        return response

    async def _confirm(self, sent: SentForm, session: Session, handle: str) -> web.Response:
        """Ask the user of the *session* to decide, if the code waits for that."""
        in_flight = await self.user_codes.find(sent.user_code, session)
        if not isinstance(in_flight, DeviceCodeInFlight):
            return self._ask(sent.request, sent.user_code, in_flight)
        if not in_flight.is_admitted:
            return await self._carry_out("refused", sent, session, in_flight)
        if not accept(in_flight.resources, session.authentication.amr):
            return await self._step_up(sent, session, in_flight)
        locale, scope = language(sent.request, self.pages), in_flight.scope
        apis = tuple(each for each in in_flight.resources if not each.is_own)
        view = ConfirmDeviceView(
            self.forms.decision(sent, handle, ClientView.of(in_flight.client)),
            session.username,
            sent.user_code,
            tuple(token for token in scope if not owners(token, apis)),
            tuple(ApiView.of(each, scopes, locale) for each, scopes in scopes_at(scope, apis)),
        )
        return self.pages.confirm_device(view, locale)

    async def _decide(self, sent: SentForm, session: Session) -> web.Response:
        """Carry out the decision of the user who was asked for it."""
        handle = self._handle(sent, session)
        if not self.forms.is_decision(sent, handle):
            return await self._confirm(sent, session, handle)
        in_flight = await self.user_codes.find(sent.user_code, session)
        if not isinstance(in_flight, DeviceCodeInFlight):
            return self._ask(sent.request, sent.user_code, in_flight)
        if not is_allowed(sent.fields):
            return await self._carry_out("denied", sent, session, in_flight)
        if not in_flight.is_admitted:
            return await self._carry_out("refused", sent, session, in_flight)
        if not accept(in_flight.resources, session.authentication.amr):
            return await self._step_up(sent, session, in_flight)
        return await self._carry_out("allowed", sent, session, in_flight)

    async def _step_up(self, sent: SentForm, session: Session, in_flight: DeviceCodeInFlight) -> web.Response:
        """Ask for the second factor that an API of the device demands."""
        needed = await self.sign_in.step_up(sent, session, in_flight.resources)
        return await self.sign_in_pages.show(sent, needed)

    async def _carry_out(
        self, outcome: DeviceOutcome, sent: SentForm, session: Session, in_flight: DeviceCodeInFlight
    ) -> web.Response:
        """Decide about the code, and say so. One that is not allowed is answered with `access_denied`."""
        if not await self.decisions.decide(in_flight, session, is_allowed=outcome == "allowed"):
            raise Expired("the code has already been used", again=DEVICE.path)
        view = DeviceDoneView(ClientView.of(in_flight.client), outcome)
        return self.pages.device_done(view, language(sent.request, self.pages))

    def _handle(self, sent: SentForm, session: Session) -> str:
        return self.cookies.session_handle(sent.request, session.session_key)

    def _ask(
        self,
        request: web.Request,
        user_code: str = "",
        fault: DeviceFault | None = None,
        *,
        complete_uri: str | None = None,
    ) -> web.Response:
        """Ask for the user code."""
        view = DeviceView(self.forms.code(request), user_code, fault, complete_uri)
        return self.pages.device(view, language(request, self.pages))
