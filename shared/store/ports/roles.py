"""Ports: roles, which users have by themselves and through their groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.model import Author


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role. `user_count`: users who have it by themselves; `groups`: the names of the groups that have it.

    `effective_user_count` counts whoever is in these groups, too. Disabled users count.
    """

    name: str
    user_count: int
    created_at: datetime
    version: int = 1
    groups: tuple[str, ...] = ()
    effective_user_count: int = 0


class Roles(Protocol):
    """Roles. PostgreSQL. Names are compared after `shared.identity.username.canonical`.

    Every effective change writes an audit row with its author in the same transaction.
    """

    async def add(self, name: str, *, by: Author | None = None) -> Role:
        """The new role. Raises Taken."""

    async def find(self, name: str) -> Role | None: ...

    async def list(self, after: str | None, limit: int) -> Sequence[Role]:
        """By name."""

    async def users(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        """The names of the users who have a role by themselves, by name."""

    async def effective_users(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        """As `users`, with those who have it through a group."""

    async def rights_of_holders(self, name: str) -> frozenset[str]:
        """The administration scopes of the users and groups that have a role."""

    async def replace(self, role: Role, name: str, *, by: Author | None = None) -> Role:
        """Replace the name of a role of this version. Raises Stale, Taken."""

    async def delete(self, name: str, *, version: int | None = None, by: Author | None = None) -> bool:
        """Delete a role, if it is of that version: whoever has it loses it as by `take`.

        False: there is no such role of that version.
        """

    async def give(self, name: str, user_id: UUID, *, by: Author | None = None) -> None:
        """Give a user a role. Does nothing if they have it, or if there is no such role or user."""

    async def take(self, name: str, user_id: UUID, *, by: Author | None = None) -> None:
        """Take a role from a user, if they have it. Every session and grant of the user ends with it."""

    async def give_group(self, name: str, group: str, *, by: Author | None = None) -> None:
        """Give a role to whoever is in a group. Does nothing if the group has it, or if either is missing."""

    async def take_group(self, name: str, group: str, *, by: Author | None = None) -> None:
        """Take a role from a group, if it has it. Every session and grant of whoever is in the group ends."""
