"""Ports: users."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from shared.model import Author, Json, User
from shared.store.ports.mails import NewMail
from shared.store.ports.sessions import SignOutExemption


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """The conditions that listed users meet; None is no condition. `group`: a group that they are in."""

    group: str | None = None
    is_disabled: bool | None = None


EVERY_USER = UserFilter()


class Users(Protocol):
    """Users. PostgreSQL. Names are compared after `shared.identity.username.canonical`.

    User names and e-mail addresses share one namespace, except addresses that are known to be unverified. A
    change of a user who does not exist changes nothing. Users are read with their groups and roles.

    Every effective change writes an audit row with its author in the same transaction.
    """

    async def find(self, user_id: UUID) -> User | None: ...

    async def find_by_name(self, name: str) -> User | None:
        """By user name or e-mail address."""

    async def list(self, after: str | None, limit: int, matching: UserFilter = EVERY_USER) -> Sequence[User]:
        """By name."""

    async def add(
        self,
        user: User,
        password_hash: str | None,
        detail: Json | None = None,
        *,
        is_temporary: bool = False,
        is_distinct: bool = False,
        by: Author | None = None,
    ) -> User:
        """Add a user, with a password if *password_hash* is given. *detail* is part of the audit row.

        *is_temporary*: the user has to replace the password when they sign in with it.

        The user becomes a member of `user.groups` and gets `user.roles`; those that are missing are added.

        Raises Taken: the name or the e-mail address is in use, or, if *is_distinct*, the name looks like
        another user's. Of several users that look alike and are added concurrently, one is added.
        """

    async def replace(
        self,
        user: User,
        groups: Collection[str] | None = None,
        roles: Collection[str] | None = None,
        *,
        by: Author | None = None,
        mails: Sequence[NewMail] = (),
    ) -> User:
        """Write the user name and the claims, if the stored version is `user.claims_version`.

        *groups*: the names of the only groups that the user is a member of from now on; missing groups are
        added, and every session and grant ends if the user leaves one. None: memberships stay. *roles*
        likewise: those that the user has by themselves. *mails* to the user are queued
        in the same transaction.

        Raises Stale, and Taken if the user name or the e-mail address is in use.
        """

    async def absent_claims(self, names: Collection[str]) -> frozenset[str]:
        """Those of *names* that are a claim of no user. Reads every user if there are any."""

    async def disable(self, user_id: UUID, *, by: Author | None = None) -> None:
        """Every session and grant of the user ends."""

    async def enable(self, user_id: UUID, *, by: Author | None = None) -> None: ...

    async def end_all(
        self, user_id: UUID, exempt: SignOutExemption | None = None, *, by: Author | None = None
    ) -> None:
        """End every session and grant of the user, except what is *exempt*."""

    async def delete(self, user_id: UUID, *, version: int | None = None, by: Author | None = None) -> bool:
        """Delete a user, if `claims_version` is *version*. False: there is no such user of that version."""
