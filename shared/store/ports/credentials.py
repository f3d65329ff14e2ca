"""Ports: credentials of users."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.model import Json, User

PASSWORD = "password"
"""The kind of a password. A user has one at most; its data is `{"hash": …}`, in the PHC string format."""

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
    """A user and their password, None if they have none."""

    user: User
    password: Credential | None

    @property
    def password_hash(self) -> str | None:
        """In the PHC string format."""
        return self.password.data["hash"] if self.password else None


class UserCredentials(Protocol):
    """Credentials, several for each user. PostgreSQL. Each change but `rehash` and `note_use` is audited.

    A change for a user or of a credential that does not exist changes nothing.
    """

    async def find_user_and_password(self, name: str) -> UserPassword | None:
        """By user name or e-mail address, as `Users.find_by_name`, in one statement."""

    async def of_user(self, user_id: UUID) -> Sequence[Credential]:
        """Every credential of the user, the oldest first."""

    async def add(self, credential: Credential) -> None:
        """Add a credential. Raises Taken: its id is in use, or it is a second password."""

    async def remove(self, user_id: UUID, credential_id: UUID) -> None:
        """Remove a credential of the user."""

    async def set_password(self, user_id: UUID, password_hash: str) -> None:
        """Set the password. Every session and grant ends, as `epoch` rises in the same statement."""

    async def rehash(self, user_id: UUID, old_hash: str, new_hash: str) -> None:
        """Store the same password under newer parameters, unless it has changed. Nothing ends."""

    async def note_use(self, credential: Credential, now: datetime) -> None:
        """Note that the credential is used, unless a use within USE_NOTED_EVERY is known."""
