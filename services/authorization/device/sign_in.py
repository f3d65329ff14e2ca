"""Signing in on the device page, by the rules of any other sign-in: no session begins before all of it."""

from collections.abc import Iterable
from dataclasses import dataclass

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
from shared.browser.pages import LoginFault, SecondFactorFault
from shared.config.settings import Settings
from shared.live import clock
from shared.model import Session
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, amr_of, methods_of, satisfied
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
class FirstFactorNeeded:
    """Ask for a password or a passkey. `fault`: why those of the form are not accepted."""

    fault: LoginFault | None = None
    retry_after: int | None = None
    unknown_passkey: str | None = None


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """Ask for a second factor in the browser with this handle.

    `is_step_up`: nobody has just signed in there, so the browser may not have the handle yet.
    """

    browser: str
    proven: Proven
    fault: SecondFactorFault | None = None
    retry_after: int | None = None
    is_step_up: bool = False


FactorNeeded = FirstFactorNeeded | SecondFactorNeeded
SignInOutcome = CompleteSignIn | FactorNeeded


@dataclass(frozen=True, slots=True)
class DeviceSignIn:
    """Checks what a form shows. `DeviceSignInPages` asks for what is missing."""

    settings: Settings
    passwords: PasswordAuthentication
    passkeys: PasskeyAuthentication
    second_factors: SecondFactorAuthentication
    cookies: Cookies
    forms: DeviceForms

    async def first(self, sent: SentForm) -> SignInOutcome:
        """Check the password or the passkey. Raises InvalidRequest, Unavailable."""
        if (browser := self.forms.browser(sent)) is None:
            return FirstFactorNeeded()
        if sent.fields.unique(PASSKEY) is not None:
            return await self._by_passkey(sent, browser)
        return await self._by_password(sent, browser)

    async def _by_password(self, sent: SentForm, browser: str) -> SignInOutcome:
        match await self.passwords.authenticate(sent.request, sent.fields):
            case Throttled() as throttled:
                return FirstFactorNeeded("throttled", throttled.seconds)
            case None:
                return FirstFactorNeeded("credentials")
            case authenticated if authenticated.proven.has_temporary_password:
                return FirstFactorNeeded("temporary_password")
            case authenticated if not self._needs_second_factor(authenticated.proven):
                return CompleteSignIn(authenticated, browser)
            case authenticated if not authenticated.proven.second_factors:
                return FirstFactorNeeded("second_factor")
            case authenticated:
                return SecondFactorNeeded(browser, authenticated.proven)

    async def _by_passkey(self, sent: SentForm, browser: str) -> SignInOutcome:
        address = client_address(sent.request)
        match await self.passkeys.authenticate(sent.fields, binding(sent, browser), address):
            case Throttled() as throttled:
                return FirstFactorNeeded("throttled", throttled.seconds)
            case NotAccepted(unknown_id):
                return FirstFactorNeeded("passkey", unknown_passkey=unknown_id)
            case authenticated if self._needs_second_factor(authenticated.proven):
                return FirstFactorNeeded("unverified")
            case authenticated:
                return CompleteSignIn(authenticated, browser)

    def _needs_second_factor(self, proven: Proven) -> bool:
        if ACR_MULTIPLE_FACTORS in satisfied(proven.methods) or not self.settings.has_second_factors:
            return False
        is_demanded = self.settings.demands_second_factor(of_group=proven.needs_second_factor)
        return is_demanded or proven.shows_second_factor

    async def second(self, sent: SentForm) -> SignInOutcome:
        """Check the second factor that the form of the first one leads to.

        Raises InvalidRequest, Unavailable.
        """
        browser = self.forms.browser(sent)
        proven = self.forms.proven(sent, browser, clock.now()) if browser else None
        if browser is None or proven is None:
            return FirstFactorNeeded()
        form = SecondFactorForm(self.passkeys, self.second_factors)
        sign_in_form = SignInForm(browser, sent.purpose)
        match await form.authenticate(sent.request, proven, sent.fields, sign_in_form):
            case Authenticated() as authenticated:
                return CompleteSignIn(authenticated, browser)
            case Throttled() as throttled:
                return SecondFactorNeeded(browser, proven, "throttled", throttled.seconds)
            case fault:
                return SecondFactorNeeded(browser, proven, fault)

    async def step_up(
        self, sent: SentForm, session: Session, resources: Iterable[ProtectedResource]
    ) -> FactorNeeded:
        """Ask for a second factor that the *resources* accept. It is added elsewhere. Raises Unavailable."""
        methods = methods_of(session.authentication.amr)
        second_factors = frozenset(
            each
            for each in await self.second_factors.of_user(session.user_id)
            if self.settings.has_second_factors and accept(resources, amr_of(methods | {each.method}))
        )
        if not second_factors:
            return FirstFactorNeeded("second_factor")
        browser = self.cookies.newest_browser_handle(sent.request)
        return SecondFactorNeeded(browser, Proven.by_session(session, second_factors), is_step_up=True)


def binding(sent: SentForm, browser: str) -> tuple[str, ...]:
    """To what the challenges of passkeys are bound."""
    return browser, sent.purpose
