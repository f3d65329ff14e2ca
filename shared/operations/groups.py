"""The operators' functions for groups and memberships, over ports."""

from collections.abc import AsyncIterator, Iterable
from typing import Any
from uuid import UUID

from shared.identity.group_name import MAX_GROUP_NAME, prepared_group_name
from shared.model import Author
from shared.store import Groups, UserGroup

PAGE = 500


class NoSuchGroup(Exception):
    """There is no group of that name."""


class BadGroup(Exception):
    """The name of a group is invalid; the message says why."""


def checked_name(name: str) -> str:
    """A group name as it is stored. Raises BadGroup."""
    if (prepared := prepared_group_name(name)) is None:
        raise BadGroup(
            f"a group name has 1 to {MAX_GROUP_NAME} letters, digits and ASCII symbols, with single spaces"
            " between words"
        )
    return prepared


def checked_names(names: Iterable[str]) -> tuple[str, ...]:
    """Group names as they are stored. Raises BadGroup."""
    return tuple(checked_name(name) for name in names)


def shown(group: UserGroup) -> dict[str, Any]:
    """A group as operators see it."""
    return {
        "name": group.name,
        "member_count": group.member_count,
        "created_at": group.created_at.isoformat(),
    }


async def get(groups: Groups, name: str) -> UserGroup:
    """Raises NoSuchGroup."""
    if group := await groups.find(name):
        return group
    raise NoSuchGroup(name)


async def add_group(groups: Groups, name: str, *, by: Author | None = None) -> UserGroup:
    """Raises BadGroup, Taken."""
    prepared = checked_name(name)
    await groups.add(prepared, by=by)
    return await get(groups, prepared)


async def rename_group(groups: Groups, group: UserGroup, name: str, *, by: Author | None = None) -> UserGroup:
    """Rename a group of this version; its members stay. Raises BadGroup, Taken, Stale."""
    prepared = checked_name(name)
    await groups.rename(group, prepared, by=by)
    return await get(groups, prepared)


async def delete_group(groups: Groups, name: str) -> None:
    """Delete a group and its memberships. Sessions and grants of its members end. Raises NoSuchGroup."""
    await groups.delete((await get(groups, name)).name)


async def join_group(groups: Groups, name: str, user_id: UUID, *, by: Author | None = None) -> None:
    """Make a user a member, unless they are one. Raises NoSuchGroup."""
    await groups.join((await get(groups, name)).name, user_id, by=by)


async def leave_group(groups: Groups, name: str, user_id: UUID, *, by: Author | None = None) -> None:
    """End a membership, if there is one, and with it the user's sessions and grants. Raises NoSuchGroup."""
    await groups.leave((await get(groups, name)).name, user_id, by=by)


async def every_group(groups: Groups) -> AsyncIterator[UserGroup]:
    """All groups, by name."""
    after: str | None = None
    while page := await groups.list(after, PAGE):
        for group in page:
            yield group
        after = page[-1].name


async def every_member(groups: Groups, name: str) -> AsyncIterator[str]:
    """The user names of all members of a group, by name."""
    after: str | None = None
    while page := await groups.members(name, after, PAGE):
        for username in page:
            yield username
        after = page[-1]
