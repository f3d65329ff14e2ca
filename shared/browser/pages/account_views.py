"""The contents of the account pages as values, as in `views`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.browser.pages.ago import Ago
from shared.browser.pages.views.client import ClientView
from shared.browser.pages.views.sign_in import PasswordChangeFault
from shared.browser.pages.views.start import ApplicationView

Done = Literal[
    "password", "passkey", "passkey_removed", "factor", "session", "sessions", "connection", "token",
    "profile", "email",
]  # fmt: skip
"""What the user has just done: a page says so once."""

PasskeyFault = Literal["refused", "taken", "last", "needed"]
"""A passkey was not accepted; is registered already; is not removed: it is the only way in, or the
only second factor of a user who needs one.
"""

PersonalTokenFault = Literal["name", "scope", "lifetime", "number"]
"""What is wrong with a new token; there are too many."""

EmailFault = Literal["email", "code", "taken", "throttled"]
"""No address; a wrong code; somebody else's address; too many codes."""

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
class EmailView:
    """The user's address, and the one to which a code was mailed; `typed`: what was refused as an address."""

    action: str
    email: str | None
    is_verified: bool
    pending: str | None = None
    typed: str = ""
    fault: EmailFault | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ForgottenView:
    """Asks for the user name or address of somebody who has forgotten their password."""

    action: str
    username: str = ""
    retry_after: int | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class AccountDataView:
    """Offers the user's data, and to delete the account; `is_wrong`: the typed name is another one."""

    action: str
    username: str
    is_wrong: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeviceSession:
    """A session of the user: names of browser and system as far as they are known, and where it began."""

    sid: str
    browser: str | None
    system: str | None
    address: str | None
    began: Ago
    used: Ago | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class DeviceSessionsView:
    """The sessions of the user, the current one first."""

    action: str
    sessions: tuple[DeviceSession, ...]
    done: Done | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConnectedClient:
    """A client that has access to the user's data: its scopes and claims by their names, and its APIs."""

    client: ClientView
    scopes: tuple[str, ...]
    claims: tuple[str, ...]
    apis: tuple[str, ...]
    used: Ago | None


@dataclass(frozen=True, slots=True)
class ConnectionsView:
    """The clients that have access to the user's data."""

    action: str
    connections: tuple[ConnectedClient, ...]
    done: Done | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PersonalTokenView:
    """A personal access token of the user. `ends`: the day, as ISO 8601 has it."""

    token_id: str
    name: str
    scopes: tuple[str, ...]
    ends: str
    made: Ago
    used: Ago | None


@dataclass(frozen=True, slots=True)
class PersonalTokenForm:
    """What the user has typed and chosen. `nodes`: further scopes, for files and folders in Cells."""

    name: str = ""
    scopes: tuple[str, ...] = ("openid",)
    nodes: str = ""
    days: int = 30


@dataclass(frozen=True, slots=True)
class PersonalTokensView:
    """The user's personal access tokens, and the form of a new one with the scopes and lifetimes offered."""

    action: str
    tokens: tuple[PersonalTokenView, ...]
    scopes: tuple[str, ...]
    days: tuple[int, ...]
    form: PersonalTokenForm = field(default_factory=PersonalTokenForm)
    fault: PersonalTokenFault | None = None
    done: Done | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewTokenView:
    """A token that was just made: its value is shown this once."""

    name: str
    ends: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProfileField:
    """A claim that the user sees, and changes unless it `is_managed` by operators."""

    name: str
    value: str
    is_managed: bool = False


@dataclass(frozen=True, slots=True)
class ProfileView:
    """The user's profile. `fault`: the claim that is invalid; `stale`: the record has changed meanwhile."""

    action: str
    fields: tuple[ProfileField, ...]
    fault: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
