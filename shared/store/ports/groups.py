"""Ports: groups of users and their members."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGroup:
    """A group. `member_count` includes disabled users."""

    name: str
    member_count: int
    created_at: datetime


class Groups(Protocol):
    """Groups. PostgreSQL. Names are compared after `shared.identity.username.canonical`.

    Every effective change writes an audit row in the same transaction.
    """

    async def add(self, name: str) -> None:
        """Raises Taken."""

    async def find(self, name: str) -> UserGroup | None: ...

    async def list(self, after: str | None, limit: int) -> Sequence[UserGroup]:
        """By name."""

    async def members(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        """The user names of the members of a group, by name."""

    async def delete(self, name: str) -> None:
        """Delete a group with its memberships."""

    async def join(self, name: str, user_id: UUID) -> None:
        """Make a user a member. Does nothing if they are one, or if there is no such group or user."""

    async def leave(self, name: str, user_id: UUID) -> None:
        """End a membership, if there is one."""
