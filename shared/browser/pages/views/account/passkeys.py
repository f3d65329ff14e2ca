"""The page of the user's passkeys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.done import Done

PasskeyFault = Literal["refused", "taken", "last", "needed"]
"""A passkey was not accepted; is registered already; is not removed: it is the only way in, or the
only second factor of a user who needs one.
"""


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey of the user. `is_synced`: it is on several devices. `provider`: what keeps it, if known."""

    credential_id: str
    name: str
    is_synced: bool
    added: Ago
    used: Ago | None
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class RecoveryCodesOffer:
    """Offers new recovery codes in place of those that are `left`."""

    action: str
    left: int
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PasskeysView:
    """The user's passkeys, and the options of a new one (WebAuthn Level 3 §5.1.8).

    `signals`: what the browser is told of the passkeys. `recovery_codes`: None where none are offered.
    """

    action: str
    passkeys: tuple[PasskeyView, ...]
    options: Mapping[str, object]
    signals: Mapping[str, object]
    suggested_name: str
    recovery_codes: RecoveryCodesOffer | None = None
    fault: PasskeyFault | None = None
    done: Done | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
