"""The contents of the pages of second factors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.browser.pages.views.client import ClientView
from shared.browser.pages.views.form import FormView

SecondFactorFault = Literal["code", "recovery", "passkey", "throttled"]


@dataclass(frozen=True, slots=True)
class SecondFactorView:
    """Asks for a second factor that the user has: one of their passkeys, a code, or a recovery code.

    `has_app`: codes are accepted. `passkey`: the options of a passkey; None where none is accepted.
    `may_remember`: the user may choose not to be asked for codes in this browser.
    """

    form: FormView
    username: str
    fault: SecondFactorFault | None = None
    retry_after: int | None = None
    has_app: bool = True
    passkey: Mapping[str, object] | None = None
    may_remember: bool = False


@dataclass(frozen=True, slots=True)
class AddSecondFactorView:
    """Shows *uri* (`otpauth:`) as a QR code, and its secret as text; asks for the first code."""

    form: FormView
    username: str
    uri: str
    secret: str
    fault: SecondFactorFault | None = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class RecoveryCodesView:
    """Shows recovery codes once; `href` continues."""

    client: ClientView
    codes: tuple[str, ...]
    href: str
