"""Ports: groups of users and their members."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.model import Author, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGroup:
    """A group. `member_count` includes disabled users. `scopes`: the administration scopes of its members."""

    name: str
    member_count: int
    created_at: datetime
    version: int = 1
    scopes: Scope = ()


class Groups(Protocol):
    """Groups. PostgreSQL. Names are compared after `shared.identity.username.canonical`.

    Every effective change writes an audit row with its author in the same transaction.
    """

    async def add(self, name: str, scopes: Scope = (), *, by: Author | None = None) -> None:
        """Raises Taken."""

    async def find(self, name: str) -> UserGroup | None: ...

    async def list(self, after: str | None, limit: int) -> Sequence[UserGroup]:
        """By name."""

    async def members(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        """The user names of the members of a group, by name."""

    async def replace(self, group: UserGroup, name: str, scopes: Scope, *, by: Author | None = None) -> None:
        """Replace the name and the scopes of a group of this version. Raises Stale, Taken."""

    async def rights_of_user(self, user_id: UUID) -> frozenset[str]:
        """The scopes of all groups of a user, who may be disabled."""

    async def rights_of_groups(self, names: Collection[str]) -> frozenset[str]:
        """The scopes of all groups of these names."""

    async def delete(self, name: str, *, version: int | None = None, by: Author | None = None) -> bool:
        """Delete a group, if it is of that version, with its memberships: each ends as by `leave`.

        False: there is no such group of that version.
        """

    async def join(self, name: str, user_id: UUID, *, by: Author | None = None) -> None:
        """Make a user a member. Does nothing if they are one, or if there is no such group or user."""

    async def leave(self, name: str, user_id: UUID, *, by: Author | None = None) -> None:
        """End a membership, if there is one. Every session and grant of the user ends with it."""
