"""The forms of the device page, and the proof that one which comes back was made for this browser.

All of them are posted to the same path. Each is bound to its user code, and to the browser or, once the user
is signed in, to the session.
"""

from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from services.authorization.authentication.proven import Proven
from services.authorization.device.sealed import seal, unseal
from shared.browser.cookies import Cookies
from shared.browser.form_token import FORM_TOKEN, form_token, is_form_token
from shared.browser.language import ui_locales_fields
from shared.browser.pages import ClientView, FormView
from shared.oauth.parameters import Parameters
from shared.paths import DEVICE

STEP, USER_CODE, PROVEN = "step", "user_code", "proven"


def purpose_of(user_code: str) -> str:
    """The purpose of the form tokens and sessions of one user code."""
    return f"device {user_code}"


@dataclass(frozen=True, slots=True)
class DeviceForms:
    """Makes the forms and checks those that the browser sends."""

    cookies: Cookies
    secret_keys: tuple[str, ...] = field(repr=False)

    def code(self, request: web.Request) -> FormView:
        """Asks for the user code."""
        return _form({**ui_locales_fields(request), STEP: "code"})

    def sign_in(self, request: web.Request, user_code: str, browser: str) -> FormView:
        """Asks for a user name and a password. Another site cannot make it, and so cannot sign anyone in."""
        return _form(
            {
                **ui_locales_fields(request),
                STEP: "sign_in",
                USER_CODE: user_code,
                FORM_TOKEN: form_token(browser, purpose_of(user_code)),
            }
        )

    def second_factor(self, request: web.Request, user_code: str, browser: str, proven: Proven) -> FormView:
        """Asks for a second factor. It carries what the password has *proven*, sealed for this browser."""
        return _form(
            {
                **ui_locales_fields(request),
                STEP: "second_factor",
                USER_CODE: user_code,
                PROVEN: seal(self.secret_keys[0], proven, f"{purpose_of(user_code)} {browser}"),
                FORM_TOKEN: form_token(browser, purpose_of(user_code)),
            }
        )

    def decision(self, request: web.Request, user_code: str, handle: str, client: ClientView) -> FormView:
        """Asks the user of the session with this *handle* to decide about *client*."""
        return _form(
            {
                **ui_locales_fields(request),
                STEP: "decide",
                USER_CODE: user_code,
                FORM_TOKEN: form_token(handle, purpose_of(user_code)),
            },
            client,
        )

    def browser(self, request: web.Request, fields: Parameters, user_code: str) -> str | None:
        """The handle of the browser for which the form was made; None: it was made for another browser."""
        return self.cookies.browser_of_form(request, fields.unique(FORM_TOKEN), purpose_of(user_code))

    def proven(self, fields: Parameters, user_code: str, browser: str, now: datetime) -> Proven | None:
        """What a second factor form carries, if it was sealed for this *browser*, and not long ago."""
        sealed, purpose = fields.unique(PROVEN), f"{purpose_of(user_code)} {browser}"
        return unseal(self.secret_keys, sealed, purpose, now)

    def is_decision(self, fields: Parameters, user_code: str, handle: str) -> bool:
        """Whether the form was made for the session with this *handle*."""
        return is_form_token(fields.unique(FORM_TOKEN), handle, purpose_of(user_code))


def _form(hidden: dict[str, str], client: ClientView | None = None) -> FormView:
    return FormView(client, DEVICE.path, hidden)
