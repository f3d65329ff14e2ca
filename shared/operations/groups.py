"""The operators' functions for groups and memberships, over ports."""

from collections.abc import AsyncIterator, Iterable
from functools import partial
from operator import attrgetter
from typing import Any
from uuid import UUID

from shared.identity.group_name import MAX_GROUP_NAME, prepared_group_name
from shared.model import Author, Scope
from shared.oauth.resource.own import ADMINISTRATION_SCOPES
from shared.operations.listing import every
from shared.operations.rights import check_rights
from shared.process.operator_error import OperatorError
from shared.store import CyclicGroups, Groups, NestedTooDeeply, Stale, UserGroup

ADMINISTRATORS = "administrators"
"""The group that `ostiary user add --admin` adds users to."""


class NoSuchGroup(OperatorError):
    """There is no group of that name."""

    template = "There is no group {}"


class BadGroup(OperatorError):
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


def checked_scopes(scopes: Iterable[str]) -> Scope:
    """The administration scopes that a group gives its members, each once. Raises BadGroup."""
    checked = tuple(dict.fromkeys(scopes))
    if unknown := sorted(set(checked) - set(ADMINISTRATION_SCOPES)):
        raise BadGroup(f"{unknown[0]} is not an administration scope: {', '.join(ADMINISTRATION_SCOPES)}")
    return checked


def shown(group: UserGroup) -> dict[str, Any]:
    """A group as operators see it."""
    return {
        "name": group.name,
        "scopes": list(group.scopes),
        "effective_scopes": list(group.effective_scopes),
        "groups": list(group.groups),
        "parents": list(group.parents),
        "requires_second_factor": group.requires_second_factor,
        "member_count": group.member_count,
        "effective_member_count": group.effective_member_count,
        "created_at": group.created_at.isoformat(),
    }


async def get(groups: Groups, name: str) -> UserGroup:
    """Raises NoSuchGroup."""
    if group := await groups.find(name):
        return group
    raise NoSuchGroup(name)


async def add_group(
    groups: Groups,
    name: str,
    scopes: Iterable[str] = (),
    *,
    requires_second_factor: bool = False,
    by: Author | None = None,
) -> UserGroup:
    """Raises BadGroup, BeyondRights, Taken."""
    prepared, checked = checked_name(name), checked_scopes(scopes)
    check_rights(by, checked)
    return await groups.add(prepared, checked, requires_second_factor=requires_second_factor, by=by)


async def replace_group(
    groups: Groups,
    group: UserGroup,
    name: str,
    scopes: Iterable[str],
    *,
    requires_second_factor: bool,
    by: Author | None = None,
) -> UserGroup:
    """Replace the name, the scopes and the requirement of a group of this version; its members stay.

    Raises BadGroup, BeyondRights, Taken, Stale.
    """
    prepared, checked = checked_name(name), checked_scopes(scopes)
    check_rights(by, group.effective_scopes, checked)
    return await groups.replace(
        group, prepared, checked, requires_second_factor=requires_second_factor, by=by
    )


async def delete_group(groups: Groups, group: UserGroup, *, by: Author | None = None) -> None:
    """Delete a group of this version and its memberships. Sessions and grants of all who are in it end.

    Raises BeyondRights, Stale.
    """
    check_rights(by, group.effective_scopes)
    if not await groups.delete(group.name, version=group.version, by=by):
        raise Stale(group.name)


async def join_group(groups: Groups, name: str, user_id: UUID, *, by: Author | None = None) -> None:
    """Make a user a member, unless they are one. Raises NoSuchGroup, BeyondRights."""
    group = await get(groups, name)
    check_rights(by, group.effective_scopes)
    await groups.join(group.name, user_id, by=by)


async def leave_group(groups: Groups, name: str, user_id: UUID, *, by: Author | None = None) -> None:
    """End a membership, if there is one, and with it the user's sessions and grants.

    Raises NoSuchGroup, BeyondRights.
    """
    group = await get(groups, name)
    check_rights(by, group.effective_scopes)
    await groups.leave(group.name, user_id, by=by)


async def nest_group(groups: Groups, parent: UserGroup, member: str, *, by: Author | None = None) -> None:
    """Make a group a member of a group of this version, unless it is one.

    Raises NoSuchGroup, BadGroup, BeyondRights, Stale.
    """
    nested = await get(groups, member)
    check_rights(by, parent.effective_scopes)
    try:
        await groups.nest(parent, nested.name, by=by)
    except CyclicGroups:
        raise BadGroup(f"{parent.name} would be a member of itself, through {nested.name}") from None
    except NestedTooDeeply as too_deep:
        raise BadGroup(f"groups are nested at most {too_deep.levels} levels deep") from None


async def unnest_group(groups: Groups, parent: UserGroup, member: str, *, by: Author | None = None) -> None:
    """End the membership of a group in a group, if there is one, and the sessions and grants of its members.

    Raises NoSuchGroup, BeyondRights.
    """
    nested = await get(groups, member)
    check_rights(by, parent.effective_scopes)
    await groups.unnest(parent.name, nested.name, by=by)


async def administrators(groups: Groups) -> str:
    """The name of the group of administrators, which is added with every scope if it is missing.

    Raises BadGroup: there is a group of that name that lacks scopes.
    """
    group = await groups.find(ADMINISTRATORS)
    if group is None:
        group = await add_group(groups, ADMINISTRATORS, ADMINISTRATION_SCOPES)
    if not set(ADMINISTRATION_SCOPES) <= set(group.scopes):
        raise BadGroup(
            f"the group {group.name} lacks administration scopes: if all its members should have them,"
            f" run `ostiary group update {group.name} --all-scopes`"
        )
    return group.name


def every_group(groups: Groups) -> AsyncIterator[UserGroup]:
    """All groups, by name."""
    return every(groups.list, attrgetter("name"))


def every_member(groups: Groups, name: str, *, is_effective: bool = False) -> AsyncIterator[str]:
    """The user names of all members of a group, by name. *is_effective*: of the groups below it, too."""
    return every(partial(groups.effective_members if is_effective else groups.members, name), str)
