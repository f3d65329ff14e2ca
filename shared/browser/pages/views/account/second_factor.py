"""The pages of the user's authenticator app."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.browser.pages.ago import Ago


@dataclass(frozen=True, slots=True)
class NewAppView:
    """Shows the secret of a new authenticator app, as `AddSecondFactorView` does; `is_wrong`: the code."""

    action: str
    uri: str
    secret: str
    is_wrong: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FactorView:
    """The user's authenticator app, the number of recovery codes that are left, and that of browsers where no
    code is asked for.
    """

    action: str
    added: Ago
    recovery_codes: int
    is_required: bool
    remembered: int = 0
    hidden: Mapping[str, str] = field(default_factory=dict)
