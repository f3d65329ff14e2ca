"""Ports: groups of users and their members."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.model import Author, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGroup:
    """A group. `scopes`: the administration scopes of its members. `member_count` includes disabled users.

    `groups`: the names of the groups that are members of it; `parents`: of those that it is a member of. What
    is effective counts these groups, and the groups in and above them, too.

    `requires_second_factor`: its members sign in with one, unless the deployment has none.
    """

    name: str
    member_count: int
    created_at: datetime
    version: int = 1
    scopes: Scope = ()
    requires_second_factor: bool = False
    groups: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    effective_member_count: int = 0
    effective_scopes: Scope = ()


class CyclicGroups(Exception):
    """The group `member` is the group `parent`, or is above it already."""

    def __init__(self, parent: str, member: str) -> None:
        super().__init__(parent, member)
        self.parent, self.member = parent, member


class NestedTooDeeply(Exception):
    """A chain of groups would have more than `levels`."""

    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.levels = levels


class Groups(Protocol):
    """Groups. PostgreSQL. Names are compared after `shared.identity.username.canonical`.

    Every effective change writes an audit row with its author in the same transaction.
    """

    async def add(
        self,
        name: str,
        scopes: Scope = (),
        *,
        requires_second_factor: bool = False,
        by: Author | None = None,
    ) -> UserGroup:
        """The new group. Raises Taken."""

    async def find(self, name: str) -> UserGroup | None: ...

    async def list(self, after: str | None, limit: int) -> Sequence[UserGroup]:
        """By name."""

    async def members(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        """The user names of the members of a group, by name."""

    async def effective_members(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        """As `members`, with those of the groups below it."""

    async def replace(
        self,
        group: UserGroup,
        name: str,
        scopes: Scope,
        *,
        requires_second_factor: bool = False,
        by: Author | None = None,
    ) -> UserGroup:
        """Replace a group of this version; its members stay. Raises Stale, Taken."""

    async def rights_of_user(self, user_id: UUID) -> frozenset[str]:
        """The scopes of all groups that a user is in, directly or not. The user may be disabled."""

    async def rights_of_groups(self, names: Collection[str]) -> frozenset[str]:
        """The scopes that the members of any of these groups have."""

    async def delete(self, name: str, *, version: int | None = None, by: Author | None = None) -> bool:
        """Delete a group, if it is of that version, with its memberships: each ends as by `leave`.

        False: there is no such group of that version.
        """

    async def join(self, name: str, user_id: UUID, *, by: Author | None = None) -> None:
        """Make a user a member. Does nothing if they are one, or if there is no such group or user."""

    async def leave(self, name: str, user_id: UUID, *, by: Author | None = None) -> None:
        """End a membership, if there is one. Every session and grant of the user ends with it."""

    async def nest(self, parent: UserGroup, member: str, *, by: Author | None = None) -> None:
        """Make the group of that name a member of a group of this version. Does nothing if it is one.

        Raises Stale, CyclicGroups, NestedTooDeeply.
        """

    async def unnest(self, parent: str, member: str, *, by: Author | None = None) -> None:
        """End the membership of a group in a group, if there is one.

        Every session and grant of the users in it, directly or not, ends.
        """
