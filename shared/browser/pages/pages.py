"""The pages of authorization, and those of every service: views in, complete responses out."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from aiohttp import web

from shared import paths
from shared.browser.pages.qr_code import qr_code
from shared.browser.pages.rendering import Renderer, retry_after
from shared.browser.pages.security import content_security_policy, frame, headers, link, source
from shared.browser.pages.views.client import Destination
from shared.browser.pages.views.consent import (
    ConfirmDeviceView,
    ConsentView,
    DeviceDoneView,
    DeviceView,
)
from shared.browser.pages.views.held import HeldView
from shared.browser.pages.views.outcome import ErrorView, LeavingView, OutOfBandView
from shared.browser.pages.views.second_factor import (
    AddSecondFactorView,
    RecoveryCodesView,
    SecondFactorView,
)
from shared.browser.pages.views.sign_in import (
    LoginView,
    ReplacePasswordView,
    SelectAccountView,
    SignUpView,
)
from shared.browser.pages.views.sign_out import LogoutView, SignedOutView
from shared.browser.pages.views.start import SentMailView, StartView
from shared.config.settings import Settings

SUBMIT_SCRIPT = "document.forms[0].submit()"
SUBMIT_SCRIPT_SOURCE = f"'sha256-{b64encode(sha256(SUBMIT_SCRIPT.encode()).digest()).decode()}'"
START_ADDRESSES = (paths.OPENID_CONFIGURATION, paths.JWKS, paths.AUTHORIZATION, paths.TOKEN, paths.USERINFO)
RETRY_AFTER = 5  # seconds, if a 429 or 503 has no Retry-After


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders the pages. Those with a form are shown again with what was wrong."""

    renderer: Renderer

    @classmethod
    def load(cls, settings: Settings, app: web.Application) -> "Pages":
        """Read and compile everything. A broken template or text prevents the start."""
        return cls(Renderer.load(settings, app))

    def login(self, view: LoginView, locale: str) -> web.Response:
        """The form with `username` and `password`; it shows why the previous attempt failed."""
        response = self.renderer.form_page("login.html", locale, view, _status(view.fault))
        return retry_after(response, view.retry_after)

    def sign_up(self, view: SignUpView, locale: str) -> web.Response:
        """The form with `username`, `password`, `name` and `email`; it shows why the last attempt failed."""
        response = self.renderer.form_page("sign_up.html", locale, view, _status(view.fault))
        return retry_after(response, view.retry_after)

    def second_factor(self, view: SecondFactorView, locale: str) -> web.Response:
        """The forms with `code` and with `recovery_code`; it shows why the previous attempt failed."""
        response = self.renderer.form_page("second_factor.html", locale, view, _status(view.fault))
        return retry_after(response, view.retry_after)

    def add_second_factor(self, view: AddSecondFactorView, locale: str) -> web.Response:
        """Shows the secret of a new authenticator app, whose first code its form sends as `code`.

        The form of a passkey sends `passkey`, the result of a ceremony.
        """
        status, code = _status(view.fault), qr_code(view.uri) if view.uri else None
        response = self.renderer.form_page("add_second_factor.html", locale, view, status, qr_code=code)
        return retry_after(response, view.retry_after)

    def replace_password(self, view: ReplacePasswordView, locale: str) -> web.Response:
        """The form with `new_password`; it shows why the last password was not accepted."""
        return self.renderer.form_page("replace_password.html", locale, view, _status(view.fault))

    def recovery_codes(self, view: RecoveryCodesView, locale: str) -> web.Response:
        """Shows recovery codes, which are shown once."""
        policy = content_security_policy()
        return self.renderer.page("recovery_codes.html", locale, headers(policy, locale), view=view)

    def held(self, view: HeldView, locale: str) -> web.Response:
        """403: says until when a recovered administrator changes no address and no credential."""
        fields = headers(content_security_policy(), locale, leads_on=not view.is_signed_in)
        return self.renderer.page("held.html", locale, fields, 403, view=view)

    def select_account(self, view: SelectAccountView, locale: str) -> web.Response:
        """Asks which account to use; the form sends `account` = a `sid`, or `other`."""
        return self.renderer.form_page("select_account.html", locale, view)

    def consent(self, view: ConsentView, locale: str) -> web.Response:
        """Asks what the client may do; the form sends `decision` = `allow` or `deny`."""
        return self.renderer.form_page("consent.html", locale, view)

    def device(self, view: DeviceView, locale: str) -> web.Response:
        """Asks for a user code (RFC 8628 §3.3)."""
        code = qr_code(view.complete_uri) if view.complete_uri else None
        return self.renderer.form_page("device.html", locale, view, _status(view.fault), qr_code=code)

    def confirm_device(self, view: ConfirmDeviceView, locale: str) -> web.Response:
        """Asks whether the device that shows the code may continue; the form sends `decision`."""
        return self.renderer.form_page("confirm_device.html", locale, view)

    def device_done(self, view: DeviceDoneView, locale: str) -> web.Response:
        """Says that the device continues by itself."""
        policy = content_security_policy()
        return self.renderer.page("device_done.html", locale, headers(policy, locale), view=view)

    def confirm_logout(self, view: LogoutView, locale: str) -> web.Response:
        """Asks whether to sign out (OpenID Connect RP-Initiated Logout 1.0 §2)."""
        return self.renderer.form_page("confirm_logout.html", locale, view)

    def sign_out_incomplete(self, view: LogoutView, locale: str) -> web.Response:
        """503: says that signing out is not complete; the form tries again."""
        return retry_after(
            self.renderer.form_page("sign_out_incomplete.html", locale, view, 503), RETRY_AFTER
        )

    def signed_out(self, view: SignedOutView, locale: str) -> web.Response:
        """Says that the user is signed out, and loads the clients' front-channel logout URIs in frames.

        With frames, the page waits a few seconds for them and then continues, also without script; it has a
        link, too.
        """
        frames = [uri for uri in view.frames if frame(uri)]
        fields = headers(content_security_policy(frames=frames), locale, leads_on=bool(view.return_href))
        onward = link(view.return_href) or view.done_href
        return self.renderer.page("signed_out.html", locale, fields, view=view, frames=frames, onward=onward)

    def out_of_band(self, view: OutOfBandView, locale: str) -> web.Response:
        """Shows the code to copy, or what went wrong."""
        return self.renderer.page(
            "out_of_band.html", locale, headers(content_security_policy(), locale), view=view
        )

    def error(self, view: ErrorView, locale: str, status: int = 400) -> web.Response:
        """Says what happened, what to do next, and which id to give to support."""
        policy = content_security_policy()
        response = self.renderer.page("error.html", locale, headers(policy, locale), status, view=view)
        return retry_after(response, view.retry_after or (RETRY_AFTER if status in (429, 503) else None))

    def form_post(self, redirect_uri: str, parameters: Mapping[str, str], locale: str) -> web.Response:
        """Form Post Response Mode: a form that submits itself, or by its button if scripts are off.

        Raises ValueError for a `redirect_uri` that no page may lead to.
        """
        if not source(redirect_uri):
            raise ValueError("not a URI that a form may be posted to")
        policy = content_security_policy(forms=[redirect_uri], script=SUBMIT_SCRIPT_SOURCE)
        return self.renderer.page(
            "form_post.html",
            locale,
            headers(policy, locale, leads_on=True),
            redirect_uri=redirect_uri,
            parameters=parameters,
            destination=Destination.of((redirect_uri,)),
            script=SUBMIT_SCRIPT,
        )

    def leaving(self, view: LeavingView, locale: str) -> web.Response:
        """Asks before opening a program on the user's device."""
        forms = [view.href] if view.fields else []
        policy = content_security_policy(forms=forms)
        return self.renderer.page("leaving.html", locale, headers(policy, locale, leads_on=True), view=view)

    def sent_mails(self, mails: tuple[SentMailView, ...], locale: str) -> web.Response:
        """Shows the mails of `ostiary run` without a mail server."""
        fields, origin = (
            headers(content_security_policy(), locale),
            self.renderer.issuer.removesuffix(paths.PREFIX),
        )
        return self.renderer.page("sent_mails.html", locale, fields, mails=mails, origin=origin)

    def start(self, view: StartView, locale: str) -> web.Response:
        """Shows what `ostiary run` has started, and what to try first."""
        addresses = {path.path: path.at(view.issuer) for path in START_ADDRESSES}
        policy = content_security_policy()
        return self.renderer.page(
            "start.html", locale, headers(policy, locale), view=view, addresses=addresses
        )


def _status(fault: str | None) -> int:
    match fault:
        case None:
            return 200
        case "throttled":
            return 429
    return 400
