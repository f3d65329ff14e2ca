"""Signing in on the device page, by the rules of any other sign-in: no session begins before all of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_session import SignInForm
from services.authorization.authentication.passkey import NotAccepted, PasskeyAuthentication
from services.authorization.authentication.password import PasswordAuthentication, Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.second_factor import SecondFactorAuthentication
from services.authorization.authentication.second_factor_form import SecondFactorForm
from services.authorization.device.forms import DeviceForms
from services.authorization.device.sent_form import SentForm
from shared.browser.cookies import Cookies
from shared.browser.language import language
from shared.browser.pages import LoginFault, LoginView, Pages, SecondFactorFault, SecondFactorView
from shared.config.settings import Settings
from shared.live import clock
from shared.model import Session
from shared.oauth.authentication_methods import (
    ACR_MULTIPLE_FACTORS,
    SecondFactor,
    amr_of,
    methods_of,
    satisfied,
)
from shared.oauth.resource.record import ProtectedResource
from shared.oauth.resource.target import accept
from shared.store import PASSKEY
from shared.web.forwarded import client_address


@dataclass(frozen=True, slots=True)
class CompleteSignIn:
    """A user who has shown all that is needed, in the browser with this handle."""

    authenticated: Authenticated
    browser: str


@dataclass(frozen=True, slots=True)
class DeviceSignIn:
    """The collaborators. A step that is not the last one returns the page that follows."""

    settings: Settings
    passwords: PasswordAuthentication
    passkeys: PasskeyAuthentication
    second_factors: SecondFactorAuthentication
    cookies: Cookies
    forms: DeviceForms
    pages: Pages

    async def first(self, sent: SentForm) -> CompleteSignIn | web.Response:
        """Check the password or the passkey."""
        if (browser := self.forms.browser(sent)) is None:
            return self.login(sent)
        if sent.fields.unique(PASSKEY) is not None:
            return await self._by_passkey(sent, browser)
        return await self._by_password(sent, browser)

    async def _by_password(self, sent: SentForm, browser: str) -> CompleteSignIn | web.Response:
        match await self.passwords.authenticate(sent.request, sent.fields):
            case Throttled() as throttled:
                return self.login(sent, "throttled", throttled.seconds)
            case None:
                return self.login(sent, "credentials")
            case authenticated if authenticated.has_temporary_password:
                return self.login(sent, "temporary_password")
            case authenticated if not self._needs_second_factor(authenticated):
                return CompleteSignIn(authenticated, browser)
            case authenticated if not authenticated.second_factors:
                return self.login(sent, "second_factor")
            case authenticated:
                return await self._ask(sent, browser, Proven.of(authenticated))

    async def _by_passkey(self, sent: SentForm, browser: str) -> CompleteSignIn | web.Response:
        address = client_address(sent.request)
        match await self.passkeys.authenticate(sent.fields, _binding(sent, browser), address):
            case Throttled() as throttled:
                return self.login(sent, "throttled", throttled.seconds)
            case NotAccepted(unknown_id):
                return self.login(sent, "passkey", unknown_passkey=unknown_id)
            case authenticated if self._needs_second_factor(authenticated):
                return self.login(sent, "unverified")
            case authenticated:
                return CompleteSignIn(authenticated, browser)

    def _needs_second_factor(self, authenticated: Authenticated) -> bool:
        if ACR_MULTIPLE_FACTORS in satisfied(authenticated.methods) or not self.settings.has_second_factors:
            return False
        is_demanded = self.settings.demands_second_factor(of_group=authenticated.needs_second_factor)
        return is_demanded or Proven.of(authenticated).shows_second_factor

    async def second(self, sent: SentForm) -> CompleteSignIn | web.Response:
        """Check the second factor that the form of the first one leads to."""
        browser = self.forms.browser(sent)
        proven = self.forms.proven(sent, browser, clock.now()) if browser else None
        if browser is None or proven is None:
            return self.login(sent)
        form = SecondFactorForm(self.passkeys, self.second_factors)
        sign_in_form = SignInForm(browser, sent.purpose)
        match await form.authenticate(sent.request, proven, sent.fields, sign_in_form):
            case Authenticated() as authenticated:
                return CompleteSignIn(authenticated, browser)
            case Throttled() as throttled:
                return await self._ask(sent, browser, proven, "throttled", throttled.seconds)
            case fault:
                return await self._ask(sent, browser, proven, fault)

    async def step_up(
        self, sent: SentForm, session: Session, resources: Iterable[ProtectedResource]
    ) -> web.Response:
        """Ask for a second factor that the *resources* accept. It is added elsewhere."""
        methods = methods_of(session.authentication.amr)
        second_factors = frozenset(
            each
            for each in await self.second_factors.of_user(session.user_id)
            if self.settings.has_second_factors and accept(resources, amr_of(methods | {each.method}))
        )
        if not second_factors:
            return self.login(sent, "second_factor")
        browser = self.cookies.newest_browser_handle(sent.request)
        response = await self._ask(sent, browser, Proven.by_session(session, second_factors))
        self.cookies.set_browser(response, browser)
        return response

    def login(
        self,
        sent: SentForm,
        fault: LoginFault | None = None,
        retry_after: int | None = None,
        unknown_passkey: str | None = None,
    ) -> web.Response:
        """The page that asks for a password or a passkey."""
        browser = self.cookies.newest_browser_handle(sent.request)
        view = LoginView(
            self.forms.sign_in(sent, browser),
            fault=fault,
            retry_after=retry_after,
            passkey=self.passkeys.options(_binding(sent, browser)),
            unknown_passkey=unknown_passkey,
        )
        response = self.pages.login(view, language(sent.request, self.pages))
        if fault is None:  # otherwise the browser sent the form, and has the cookie
            self.cookies.set_browser(response, browser)
        return response

    async def _ask(
        self,
        sent: SentForm,
        browser: str,
        proven: Proven,
        fault: SecondFactorFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        """The page that asks for a second factor."""
        passkey = None
        if SecondFactor.PASSKEY in proven.second_factors:
            passkey = await self.passkeys.second_options(proven, _binding(sent, browser))
        view = SecondFactorView(
            self.forms.second_factor(sent, browser, proven),
            proven.username,
            fault,
            retry_after,
            has_app=SecondFactor.APP in proven.second_factors,
            passkey=passkey,
            has_recovery_codes=SecondFactor.RECOVERY_CODE in proven.second_factors,
        )
        return self.pages.second_factor(view, language(sent.request, self.pages))


def _binding(sent: SentForm, browser: str) -> tuple[str, ...]:
    """To what the challenges of passkeys are bound."""
    return browser, sent.purpose
