"""The forms of the device page, and the proof that one which comes back was made for this browser.

All of them are posted to the same path. Each is bound to its user code, and to the browser or, once the user
is signed in, to the session.
"""

from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from services.authorization.authentication.proven import Proven
from services.authorization.device.sealed import seal, unseal
from services.authorization.device.sent_form import SentForm
from shared.browser.cookies import Cookies
from shared.browser.form_token import FORM_TOKEN, form_token, is_form_token
from shared.browser.language import ui_locales_fields
from shared.browser.pages import ClientView, FormView
from shared.paths import DEVICE

STEP, USER_CODE, PROVEN = "step", "user_code", "proven"


@dataclass(frozen=True, slots=True)
class DeviceForms:
    """Makes the forms and checks those that the browser sends."""

    cookies: Cookies
    secret_keys: tuple[str, ...] = field(repr=False)

    def code(self, request: web.Request) -> FormView:
        """Asks for the user code."""
        return FormView(None, DEVICE.path, {**ui_locales_fields(request), STEP: "code"})

    def sign_in(self, sent: SentForm, browser: str) -> FormView:
        """Asks for a user name and a password. Another site cannot make it, and so cannot sign anyone in."""
        return FormView(None, DEVICE.path, _hidden(sent, "sign_in", browser))

    def second_factor(self, sent: SentForm, browser: str, proven: Proven) -> FormView:
        """Asks for a second factor. It carries what the password has *proven*, sealed for this browser."""
        sealed = seal(self.secret_keys[0], proven, f"{sent.purpose} {browser}")
        return FormView(None, DEVICE.path, {**_hidden(sent, "second_factor", browser), PROVEN: sealed})

    def decision(self, sent: SentForm, handle: str, client: ClientView) -> FormView:
        """Asks the user of the session with this *handle* to decide about *client*."""
        return FormView(client, DEVICE.path, _hidden(sent, "decide", handle))

    def browser(self, sent: SentForm) -> str | None:
        """The handle of the browser for which the form was made; None: it was made for another browser."""
        return self.cookies.browser_of_form(sent.request, sent.fields.unique(FORM_TOKEN), sent.purpose)

    def proven(self, sent: SentForm, browser: str, now: datetime) -> Proven | None:
        """What a second factor form carries, if it was sealed for this *browser*, and not long ago."""
        sealed = sent.fields.unique(PROVEN)
        return unseal(self.secret_keys, sealed, f"{sent.purpose} {browser}", now)

    def is_decision(self, sent: SentForm, handle: str) -> bool:
        """Whether the form was made for the session with this *handle*."""
        return is_form_token(sent.fields.unique(FORM_TOKEN), handle, sent.purpose)


def _hidden(sent: SentForm, step: str, handle: str) -> dict[str, str]:
    """The fields of the form of the next *step*, for the holder of this *handle*."""
    return {
        **ui_locales_fields(sent.request),
        STEP: step,
        USER_CODE: sent.user_code,
        FORM_TOKEN: form_token(handle, sent.purpose),
    }
