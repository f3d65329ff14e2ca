"""The first page of an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.done import Done
from shared.browser.pages.views.start import ApplicationView

FactorState = Literal["unavailable", "off", "on", "required"]
"""Second factors: not offered here; the user has none; has one; has one and must keep it."""


@dataclass(frozen=True, slots=True)
class PasskeyOffer:
    """Lets the browser make a passkey by itself: a conditional create (WebAuthn Level 3 §5.1.3)."""

    action: str
    options: Mapping[str, object]
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountOverviewView:
    """The first page. `name` is the user's, or their user name; `password_set` is None without a password.

    `signals`: what the browser is told of the user's passkeys. `held_until`: addresses and credentials stay
    as they are until then.
    """

    username: str
    name: str
    email: str | None
    is_email_verified: bool
    groups: tuple[str, ...]
    roles: tuple[str, ...]
    password_set: Ago | None
    passkeys: int
    factor: FactorState
    recovery_codes: int
    sessions: int
    connections: int
    tokens: int
    applications: tuple[ApplicationView, ...] = ()
    signals: Mapping[str, object] = field(default_factory=dict)
    offer: PasskeyOffer | None = None
    may_change_email: bool = False
    held_until: datetime | None = None
    done: Done | None = None
