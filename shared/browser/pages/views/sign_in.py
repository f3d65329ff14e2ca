"""The contents of the pages that sign a user in: login, sign-up and account selection."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.browser.pages.views.form import FormView

LoginFault = Literal[
    "credentials", "throttled", "second_factor", "temporary_password", "passkey", "unverified",
]  # fmt: skip
SignUpFault = Literal[
    "username", "taken", "password", "password_characters", "password_common", "password_name",
    "name", "email", "throttled",
]  # fmt: skip
PasswordChangeFault = Literal[
    "password", "password_characters", "password_common", "password_name", "password_same",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoginView:
    """The login page.

    `retry_after` is in seconds. `passkey`: the options of a sign-in by passkey; None where there is none.
    `unknown_passkey`: the id, in base64url, of a passkey that nobody has, which the browser may forget.
    """

    form: FormView
    username: str = ""
    fault: LoginFault | None = None
    retry_after: int | None = None
    sign_up_href: str | None = None
    passkey: Mapping[str, object] | None = None
    unknown_passkey: str | None = None
    forgotten_href: str | None = None


@dataclass(frozen=True, slots=True)
class SignUpView:
    """The sign-up page. `min_password` is in characters, `retry_after` in seconds."""

    form: FormView
    sign_in_href: str
    min_password: int
    username: str = ""
    name: str = ""
    email: str = ""
    fault: SignUpFault | None = None
    retry_after: int | None = None

    @property
    def wrong(self) -> str | None:
        """The name of the invalid field."""
        match self.fault:
            case "taken":
                return "username"
            case "password_characters" | "password_common" | "password_name":
                return "password"
            case "throttled":
                return None
            case fault:
                return fault


@dataclass(frozen=True, slots=True)
class ReplacePasswordView:
    """Asks for a password of at least `least` characters in place of a temporary one."""

    form: FormView
    username: str
    least: int
    fault: PasswordChangeFault | None = None

    @property
    def action(self) -> str:
        """As that of a `PasswordChangeView`, whose template is shared."""
        return self.form.action

    @property
    def hidden(self) -> Mapping[str, str]:
        """Likewise."""
        return self.form.hidden


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account that is signed in with this browser."""

    sid: str
    username: str


@dataclass(frozen=True, slots=True)
class SelectAccountView:
    """Asks which of *accounts* to use."""

    form: FormView
    accounts: tuple[AccountView, ...]
