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
    `has_recovery_codes`: some are left. `may_remember`: the user may choose not to be asked for codes in this
    browser.
    """

    form: FormView
    username: str
    fault: SecondFactorFault | None = None
    retry_after: int | None = None
    has_app: bool = True
    passkey: Mapping[str, object] | None = None
    may_remember: bool = False
    has_recovery_codes: bool = True


@dataclass(frozen=True, slots=True)
class AddSecondFactorView:
    """Offers an authenticator app, a passkey or both.

    `uri` (`otpauth:`) is shown as a QR code, `secret` as text, and the first code is asked for; None: no app
    is accepted. `passkey`: the options of a new passkey; None where none is accepted.
    """

    form: FormView
    username: str
    uri: str | None
    secret: str
    passkey: Mapping[str, object] | None = None
    fault: SecondFactorFault | None = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class RecoveryCodesView:
    """Shows recovery codes once; `href` continues."""

    client: ClientView
    codes: tuple[str, ...]
    href: str
