"""The pages that ask for the factors of a sign-in on the device page."""

from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.passkey import PasskeyAuthentication
from services.authorization.device.forms import DeviceForms
from services.authorization.device.sent_form import SentForm
from services.authorization.device.sign_in import FactorNeeded, FirstFactorNeeded, SecondFactorNeeded, binding
from shared.browser.cookies import Cookies
from shared.browser.language import language
from shared.browser.pages import LoginView, Pages, SecondFactorView
from shared.oauth.authentication_methods import SecondFactor


@dataclass(frozen=True, slots=True)
class DeviceSignInPages:
    """Shows the page for what is missing."""

    passkeys: PasskeyAuthentication
    cookies: Cookies
    forms: DeviceForms
    pages: Pages

    async def show(self, sent: SentForm, needed: FactorNeeded) -> web.Response:
        """The page that follows the form that was *sent*. Raises Unavailable."""
        match needed:
            case FirstFactorNeeded():
                return self.first(sent, needed)
            case SecondFactorNeeded():
                return await self._second(sent, needed)

    def first(self, sent: SentForm, needed: FirstFactorNeeded) -> web.Response:
        """The page that asks for a password or a passkey."""
        browser = self.cookies.newest_browser_handle(sent.request)
        view = LoginView(
            self.forms.sign_in(sent, browser),
            fault=needed.fault,
            retry_after=needed.retry_after,
            passkey=self.passkeys.options(binding(sent, browser)),
            unknown_passkey=needed.unknown_passkey,
        )
        response = self.pages.login(view, language(sent.request, self.pages))
        if needed.fault is None:  # otherwise the browser sent the form, and has the cookie
            self.cookies.set_browser(response, browser)
        return response

    async def _second(self, sent: SentForm, needed: SecondFactorNeeded) -> web.Response:
        browser, proven = needed.browser, needed.proven
        passkey = None
        if SecondFactor.PASSKEY in proven.second_factors:
            passkey = await self.passkeys.second_options(proven, binding(sent, browser))
        view = SecondFactorView(
            self.forms.second_factor(sent, browser, proven),
            proven.username,
            needed.fault,
            needed.retry_after,
            has_app=SecondFactor.APP in proven.second_factors,
            passkey=passkey,
            has_recovery_codes=SecondFactor.RECOVERY_CODE in proven.second_factors,
        )
        response = self.pages.second_factor(view, language(sent.request, self.pages))
        if needed.is_step_up:
            self.cookies.set_browser(response, browser)
        return response
