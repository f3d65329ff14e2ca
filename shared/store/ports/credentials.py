"""Ports: credentials of users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.identity.passkeys.passkey import Passkey, PasskeyUse
from shared.model import Author, Json, User
from shared.oauth.authentication_methods import SecondFactor
from shared.store.ports.mails import NewMail
from shared.store.ports.sessions import SignOutExemption

PASSWORD = "password"
"""The kind of a password. A user has one at most; its data is `{"hash": …}`, in the PHC string format."""

TOTP: str = SecondFactor.APP
"""The kind of an authenticator app. A user has one at most."""

RECOVERY: str = SecondFactor.RECOVERY_CODE
"""The kind of a set of recovery codes. A user has one at most, with an authenticator app or a passkey."""

PASSKEY: str = SecondFactor.PASSKEY
"""The kind of a passkey. A user may have several; the data is that of `Passkey.to_json`."""

REMEMBERED = "remembered"
"""The kind of a browser where a user with an authenticator app is not asked for codes."""

REMEMBERED_FOR = timedelta(days=30)

USE_NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A credential of a user. The members of `data` depend on the kind.

    `last_used_at` is exact to USE_NOTED_EVERY; None: it was never used.
    """

    credential_id: UUID
    user_id: UUID
    kind: str
    data: Json
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPassword:
    """A user and their password, None if they have none.

    `needs_second_factor`: a group of the user requires one. `is_temporary`: the user chooses another password
    when they sign in with this one.
    """

    user: User
    password: Credential | None
    second_factors: frozenset[SecondFactor] = frozenset()
    needs_second_factor: bool = False
    is_temporary: bool = False

    @property
    def password_hash(self) -> str | None:
        """In the PHC string format."""
        return self.password.data["hash"] if self.password else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecondFactor:
    """An authenticator app whose first code a user has typed, and the recovery codes made with it."""

    secret: bytes = field(repr=False)  # of SECRET_BYTES
    step: int  # whose code the user has typed
    recovery_hashes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey:
    """A passkey that a user has just made, and the recovery codes made with it."""

    passkey: Passkey
    recovery_hashes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPasskey:
    """A passkey and its user. `needs_second_factor`: a group of theirs requires one."""

    user: User
    credential_id: UUID
    passkey: Passkey
    second_factors: frozenset[SecondFactor] = frozenset()
    needs_second_factor: bool = False


class Passkeys(Protocol):
    """Passkeys (WebAuthn). PostgreSQL. They are added and removed as any credential, by `UserCredentials`."""

    async def of_user(self, user_id: UUID) -> Sequence[Passkey]:
        """Every passkey of the user, the oldest first."""

    async def count_by_rp_id(self) -> Mapping[str, int]:
        """The number of passkeys for each RP ID."""

    async def is_known(self, passkey_id: bytes) -> bool:
        """Whether anybody has a passkey with this id."""

    async def find(self, passkey_id: bytes, user_id: UUID) -> UserPasskey | None:
        """The passkey with this id if it is the user's, in one statement."""

    async def note_use(self, credential_id: UUID, use: PasskeyUse, now: datetime) -> bool:
        """Note a verified use; one that may be of a copy is audited. False: the passkey was removed."""


class SecondFactors(Protocol):
    """Second factors: an authenticator app (RFC 6238) and recovery codes. PostgreSQL. Changes are audited.

    What is spent is committed before it is acknowledged, and is spent for every process. *mails* to the user
    are queued in the transaction of a change, if something changes.
    """

    async def of_user(self, user_id: UUID) -> frozenset[SecondFactor]:
        """What the user may show beside a password: recovery codes too, while some are left."""

    async def is_asked_for(self, user_id: UUID) -> bool:
        """Whether the user has an authenticator app, or is in a group that requires a second factor."""

    async def secret(self, user_id: UUID) -> bytes | None:
        """The secret of the user's authenticator app, decrypted. None: they have none."""

    async def add(self, user_id: UUID, new: NewSecondFactor, *, mails: Sequence[NewMail] = ()) -> None:
        """Add an authenticator app, and new recovery codes. Raises Taken: the user has one already."""

    async def add_first(
        self,
        user_id: UUID,
        epoch: int,
        new: NewSecondFactor | NewPasskey,
        *,
        mails: Sequence[NewMail] = (),
    ) -> None:
        """Add the first second factor of a user who signs in, and recovery codes.

        Of several that are added at once, one is. Raises Taken: the user has a second factor by now, or
        somebody has that passkey; Stale: the user was disabled, or their epoch is another one.
        """

    async def spend_step(self, user_id: UUID, step: int, session_key: bytes) -> bool:
        """Spend the code of a time step for the session that is about to begin under this key.

        False: it, or that of a later step, was spent before. The last code that was spent is accepted again
        for the same session, unless that has ended: the session may not have begun.
        """

    async def spend_recovery_code(self, user_id: UUID, code_hash: str, session_key: bytes) -> bool:
        """Spend a recovery code, as `spend_step`. False: there is no such code any more."""

    async def replace_recovery_codes(self, user_id: UUID, hashes: Sequence[str]) -> bool:
        """Make these the recovery codes of a user. False: the user has neither an app nor a passkey."""

    async def remove(self, user_id: UUID, *, mails: Sequence[NewMail] = ()) -> bool:
        """Remove the app, forget browsers, and remove the recovery codes of a user without a passkey.

        False: the user has none of these.
        """

    async def reset(self, user_id: UUID, *, mails: Sequence[NewMail] = ()) -> bool:
        """Remove everything that signs the user in but the password. False: there is nothing."""

    async def remember_browser(self, user_id: UUID, browser_hash: bytes) -> None:
        """Do not ask for codes in this browser for REMEMBERED_FOR, or until the user's epoch rises."""

    async def is_remembered(self, user_id: UUID, browser_hash: bytes) -> bool:
        """Whether the user is not asked for codes in this browser."""

    async def forget_browsers(self, user_id: UUID) -> None:
        """Ask the user for codes in every browser again."""

    async def rewrap(self) -> int:
        """Encrypt every secret under the first secret key; the number of those that were not."""


class UserCredentials(Protocol):
    """Credentials, several for each user. PostgreSQL. Each change but `rehash` and `note_use` is audited.

    A change for a user or of a credential that does not exist changes nothing. *mails* to the user are queued
    in the transaction of a change, if something changes.
    """

    async def find_user_and_password(self, name: str) -> UserPassword | None:
        """By user name or e-mail address, as `Users.find_by_name`, in one statement."""

    async def of_user(self, user_id: UUID) -> Sequence[Credential]:
        """Every credential of the user, the oldest first."""

    async def add(self, credential: Credential, *, mails: Sequence[NewMail] = ()) -> None:
        """Add a credential. Raises Taken: its id is in use, a second password, or somebody's passkey."""

    async def remove(
        self,
        user_id: UUID,
        credential_id: UUID,
        *,
        keeps_sign_in: bool = False,
        keeps_second_factor: bool = False,
        mails: Sequence[NewMail] = (),
    ) -> None:
        """Remove a credential of the user, and recovery codes that stand in for nothing any more.

        Nothing happens if *keeps_sign_in* and no password or passkey would stay, or if *keeps_second_factor*
        and no app or passkey would.
        """

    async def set_password(
        self,
        user_id: UUID,
        password_hash: str,
        exempt: SignOutExemption | None = None,
        *,
        is_temporary: bool = False,
        by: Author | None = None,
        mails: Sequence[NewMail] = (),
    ) -> None:
        """Set the password. Every session and grant ends in the same transaction, except what is *exempt*.

        One that *is_temporary* must be replaced by the user who signs in with it.
        """

    async def replace_temporary_password(
        self, user_id: UUID, epoch: int, password_hash: str, *, mails: Sequence[NewMail] = ()
    ) -> int:
        """Set the password that a user has chosen while they sign in, and return their new epoch.

        Sessions and grants continue. Of several that are sent at once, one is set. Raises Stale: the user was
        disabled, or their epoch is another one.
        """

    async def rehash(self, user_id: UUID, old_hash: str, new_hash: str) -> None:
        """Store the same password under newer parameters, unless it has changed. Nothing ends."""

    async def note_use(self, credential: Credential, now: datetime) -> None:
        """Note that the credential is used, unless a use within USE_NOTED_EVERY is known."""
