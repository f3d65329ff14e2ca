"""The pages that ask for a new password, or help with a forgotten one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.browser.pages.views.sign_in import PasswordChangeFault


@dataclass(frozen=True, slots=True)
class PasswordChangeView:
    """Asks for a new password of at least `least` characters."""

    action: str
    username: str
    least: int
    fault: PasswordChangeFault | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecoveryView(PasswordChangeView):
    """As PasswordChangeView, for a link.

    `is_elsewhere`: another browser had asked for it. `issued_by`: the administrator who made it.
    """

    is_elsewhere: bool = False
    issued_by: str | None = None


@dataclass(frozen=True, slots=True)
class ForgottenView:
    """Asks for the user name or address of somebody who has forgotten their password."""

    action: str
    username: str = ""
    retry_after: int | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
