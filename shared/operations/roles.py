"""The operators' functions for roles, over ports."""

from collections.abc import AsyncIterator, Iterable
from functools import partial
from operator import attrgetter
from typing import Any
from uuid import UUID

from shared.identity.group_name import MAX_GROUP_NAME, prepared_group_name
from shared.model import Author
from shared.operations.groups import get as get_group
from shared.operations.listing import every
from shared.operations.rights import check_rights, check_user_rights
from shared.process.operator_error import OperatorError
from shared.store import Groups, Role, Roles, Stale


class NoSuchRole(OperatorError):
    """There is no role of that name."""

    template = "There is no role {}"


class BadRole(OperatorError):
    """The name of a role is invalid; the message says why."""


def checked_role(name: str) -> str:
    """A role's name as it is stored. Raises BadRole."""
    if (prepared := prepared_group_name(name)) is None:
        raise BadRole(
            f"a role name has 1 to {MAX_GROUP_NAME} letters, digits and ASCII symbols, with single spaces"
            " between words"
        )
    return prepared


def checked_roles(names: Iterable[str]) -> tuple[str, ...]:
    """Names of roles as they are stored. Raises BadRole."""
    return tuple(checked_role(name) for name in names)


def shown(role: Role) -> dict[str, Any]:
    """A role as operators see it."""
    return {
        "name": role.name,
        "groups": list(role.groups),
        "user_count": role.user_count,
        "effective_user_count": role.effective_user_count,
        "created_at": role.created_at.isoformat(),
    }


async def get(roles: Roles, name: str) -> Role:
    """Raises NoSuchRole."""
    if role := await roles.find(name):
        return role
    raise NoSuchRole(name)


async def add_role(roles: Roles, name: str, *, by: Author | None = None) -> Role:
    """Raises BadRole, Taken."""
    return await roles.add(checked_role(name), by=by)


async def rename_role(roles: Roles, role: Role, name: str, *, by: Author | None = None) -> Role:
    """Replace the name of a role of this version; whoever has it keeps it.

    Raises BadRole, BeyondRights, Taken, Stale.
    """
    prepared = checked_role(name)
    check_rights(by, await roles.rights_of_holders(role.name))
    return await roles.replace(role, prepared, by=by)


async def delete_role(roles: Roles, role: Role, *, by: Author | None = None) -> None:
    """Delete a role of this version. Sessions and grants of all who have it end.

    Raises BeyondRights, Stale.
    """
    check_rights(by, await roles.rights_of_holders(role.name))
    if not await roles.delete(role.name, version=role.version, by=by):
        raise Stale(role.name)


async def give_role(
    roles: Roles, groups: Groups, name: str, user_id: UUID, *, by: Author | None = None
) -> None:
    """Give a user a role, unless they have it. Raises NoSuchRole, BeyondRights."""
    role = await get(roles, name)
    await check_user_rights(groups, user_id, by)
    await roles.give(role.name, user_id, by=by)


async def take_role(
    roles: Roles, groups: Groups, name: str, user_id: UUID, *, by: Author | None = None
) -> None:
    """Take a role from a user, and with it their sessions and grants. Raises NoSuchRole, BeyondRights."""
    role = await get(roles, name)
    await check_user_rights(groups, user_id, by)
    await roles.take(role.name, user_id, by=by)


async def give_role_to_group(
    roles: Roles, groups: Groups, name: str, group: str, *, by: Author | None = None
) -> None:
    """Give a role to whoever is in a group. Raises NoSuchRole, NoSuchGroup, BeyondRights."""
    role, holder = await get(roles, name), await get_group(groups, group)
    check_rights(by, holder.effective_scopes)
    await roles.give_group(role.name, holder.name, by=by)


async def take_role_from_group(
    roles: Roles, groups: Groups, name: str, group: str, *, by: Author | None = None
) -> None:
    """Take a role from a group, and with it the sessions and grants of whoever is in the group.

    Raises NoSuchRole, NoSuchGroup, BeyondRights.
    """
    role, holder = await get(roles, name), await get_group(groups, group)
    check_rights(by, holder.effective_scopes)
    await roles.take_group(role.name, holder.name, by=by)


def every_role(roles: Roles) -> AsyncIterator[Role]:
    """All roles, by name."""
    return every(roles.list, attrgetter("name"))


def every_user(roles: Roles, name: str, *, is_effective: bool = False) -> AsyncIterator[str]:
    """The names of all users who have a role by themselves, by name. *is_effective*: or through a group."""
    return every(partial(roles.effective_users if is_effective else roles.users, name), str)
