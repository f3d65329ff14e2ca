"""Users and their passwords."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from shared.model import (
    Json,
    User,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A user and the hash of their password, None when they have none."""

    user: User
    password_hash: str | None


class Users(Protocol):
    """Users and their passwords. PostgreSQL. Names are compared after `shared.identity.username.canonical`.

    User names and e-mail addresses are one namespace, which addresses that are known to be unverified are no
    part of. A change of a user who is not there changes nothing.
    """

    async def find_credential(self, username: str) -> Credential | None:
        """By user name or e-mail address."""

    async def find(self, user_id: UUID) -> User | None: ...

    async def find_by_name(self, username: str) -> User | None: ...

    async def list(self, after: str | None, limit: int) -> Sequence[User]: ...

    async def add(
        self, user: User, password_hash: str | None, detail: Json | None = None, *, is_distinct: bool = False
    ) -> None:
        """*detail* is part of the audit row. Raises Taken when the name or the e-mail address is.

        *is_distinct*: also when the name looks like another user's: of many at once that look alike one is
        added.
        """

    async def set_password(self, user_id: UUID, password_hash: str) -> None:
        """A new password ends every session and grant: `epoch` rises in the same statement."""

    async def rehash(self, user_id: UUID, old_hash: str, new_hash: str) -> None:
        """The same password under newer parameters; nothing ends."""

    async def replace(self, user: User) -> None:
        """Write the user name and the claims, if the stored version is `user.claims_version`.

        Raises Stale; Taken when the user name or the e-mail address is.
        """

    async def disable(self, user_id: UUID) -> None: ...

    async def enable(self, user_id: UUID) -> None: ...

    async def end_all(self, user_id: UUID) -> None:
        """End every session and grant of the user."""

    async def delete(self, user_id: UUID) -> None: ...
