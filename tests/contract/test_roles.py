"""The store of roles: names, who has them, and audit rows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from shared.model import User
from shared.oauth.resource.own import READ_GROUPS, READ_USERS
from shared.store import Role, Stale, Taken
from tests.builders import World
from tests.deployment import open_world, settings_for


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment of its own."""
    async with open_world(settings_for(database_url, redis_url)) as opened:
        yield opened


async def found(world: World, name: str) -> Role:
    """The role of that name."""
    role = await world.stores.roles.find(name)
    assert role
    return role


async def read(world: World, user: User) -> User:
    """The user as they are stored now."""
    stored = await world.stores.users.find(user.user_id)
    assert stored
    return stored


async def test_a_name_is_taken_in_every_spelling(world: World) -> None:
    """As the names of groups are; a role and a group may have the same name."""
    await world.stores.groups.add("Admin")
    await world.stores.roles.add("Admin")
    for name in ("ADMIN", "ａｄｍｉｎ"):
        with pytest.raises(Taken):
            await world.stores.roles.add(name)
    assert await world.stores.roles.find("a\0b") is None
    await world.stores.roles.add("b")
    with pytest.raises(Taken):
        await world.stores.roles.replace(await found(world, "b"), "admin")
    await world.stores.roles.replace(await found(world, "admin"), "ADMIN")
    with pytest.raises(Stale):
        await world.stores.roles.replace(replace(await found(world, "admin"), version=1), "x")
    assert [role.name for role in await world.stores.roles.list(None, 10)] == ["ADMIN", "b"]
    assert [role.name for role in await world.stores.roles.list("admin", 10)] == ["b"]


async def test_users_have_roles_by_themselves_and_through_groups(world: World) -> None:
    """Each once, sorted by code point; through groups above, too."""
    groups, roles = world.stores.groups, world.stores.roles
    user, other = await world.user(groups=("low",), roles=("b", "a")), await world.user()
    await groups.add("high")
    above = await groups.find("high")
    assert above
    await groups.nest(above, "low")
    for name in ("A b", "Ä"):
        await roles.add(name)
    for name, group in (
        ("Ä", "high"),
        ("A b", "low"),
        ("a", "high"),
        ("a", "low"),
        ("a", "low"),
        ("x", "low"),
    ):
        await roles.give_group(name, group)
    stored = await read(world, user)
    assert (stored.roles, stored.direct_roles) == (("A b", "a", "b", "Ä"), ("a", "b"))
    await roles.give("a", other.user_id)
    role = await found(world, "A")
    assert (role.groups, role.user_count, role.effective_user_count) == (("high", "low"), 2, 2)
    assert await roles.users("ä", None, 10) == []
    assert await roles.effective_users("ä", None, 10) == [user.username]
    both = sorted((user.username, other.username))
    assert await roles.effective_users("a", None, 10) == await roles.users("a", None, 10) == both
    assert await roles.effective_users("a", both[0], 10) == both[1:]


async def test_giving_and_taking_may_be_repeated(world: World) -> None:
    """A repetition changes nothing and is not audited; taking signs the user out."""
    user = await world.user()
    await world.stores.roles.add("Editor")
    for _ in range(2):
        await world.stores.roles.give("editor", user.user_id)
    assert ((await read(world, user)).epoch, (await read(world, user)).claims_version) == (0, 1)
    for _ in range(2):
        await world.stores.roles.take("EDITOR", user.user_id)
    assert ((await read(world, user)).epoch, (await read(world, user)).roles) == (1, ())
    rows = [row async for row in world.audit_rows() if row["event"].startswith("role_")]
    assert [(row["event"], row["detail"], row["user_id"]) for row in rows] == [
        ("role_added", {"role": "Editor"}, None),
        ("role_given", {"role": "Editor"}, user.user_id),
        ("role_taken", {"role": "Editor"}, user.user_id),
    ]


async def test_what_ends_a_role_signs_out_whoever_had_it(world: World) -> None:
    """Taking it from a group, and its deletion; nobody else."""
    roles = world.stores.roles
    member, holder, other = (
        await world.user(groups=("g",)),
        await world.user(roles=("r",)),
        await world.user(),
    )
    await roles.give_group("r", "g")
    await roles.take_group("r", "g")
    assert [(await read(world, user)).epoch for user in (member, holder, other)] == [1, 0, 0]
    await roles.give_group("r", "g")
    assert not await roles.delete("r", version=7)
    assert await roles.delete("R", version=1)
    assert not await roles.delete("r")
    assert [(await read(world, user)).epoch for user in (member, holder, other)] == [2, 1, 0]
    assert (await read(world, member)).roles == (await read(world, holder)).roles == ()


async def test_a_replacement_names_the_roles_or_leaves_them(world: World) -> None:
    """A user who loses one is signed out; missing ones are added."""
    users, user = world.stores.users, await world.user(roles=("a", "b"))
    await users.replace(user)
    assert (await read(world, user)).roles == ("a", "b")
    await users.replace(replace(user, claims_version=1), None, ("B", "a", "c"))
    assert ((await read(world, user)).roles, (await read(world, user)).epoch) == (("a", "b", "c"), 0)
    await users.replace(replace(user, claims_version=2), None, ("c",))
    assert ((await read(world, user)).roles, (await read(world, user)).epoch) == (("c",), 1)


async def test_the_rights_of_who_has_a_role(world: World) -> None:
    """Of users and of groups, with the groups above."""
    groups, roles = world.stores.groups, world.stores.roles
    await groups.add("readers", (READ_USERS,))
    await groups.add("low")
    await groups.add("high", (READ_GROUPS,))
    above = await groups.find("high")
    assert above
    await groups.nest(above, "low")
    await world.user(groups=("readers",), roles=("r",))
    assert await roles.rights_of_holders("R") == {READ_USERS}
    await roles.give_group("r", "low")
    assert await roles.rights_of_holders("r") == {READ_USERS, READ_GROUPS}


async def test_of_many_that_add_the_same_missing_roles_nobody_fails(world: World) -> None:
    """Users are added concurrently with the same roles in any order, without a deadlock."""
    names = [f"r{number}" for number in range(8)]
    await asyncio.gather(*(world.user(roles=tuple(names[at:] + names[:at])) for at in range(8)))
    assert [role.user_count for role in await world.stores.roles.list(None, 20)] == [8] * 8
