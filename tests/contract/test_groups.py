"""The store of groups: names, memberships and audit rows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from shared.store import Taken
from shared.store.migrate import migrate
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.groups import members_in_any_case


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment of its own."""
    async with open_world(settings_for(database_url, redis_url)) as opened:
        yield opened


async def events(world: World) -> list[tuple[str, str]]:
    """The audit log's events of groups with the names, in order."""
    rows = [row async for row in world.audit_rows()]
    return [(row["event"], row["detail"]["group"]) for row in rows if row["event"].startswith("group_")]


@planted(members_in_any_case)
async def test_a_name_is_taken_in_every_spelling(world: World) -> None:
    """Group names are equal regardless of case and compatibility forms; the first spelling stays."""
    await world.stores.groups.add("Staff")
    with pytest.raises(Taken):
        await world.stores.groups.add("STAFF")
    found = await world.stores.groups.find("ｓｔａｆｆ")
    assert found
    assert (found.name, found.member_count) == ("Staff", 0)
    assert await world.stores.groups.find("a\0b") is None
    assert await events(world) == [("group_added", "Staff")]


async def test_joining_and_leaving_may_be_repeated(world: World) -> None:
    """A repetition changes nothing and is not audited."""
    groups, user = world.stores.groups, await world.user()
    await groups.add("Staff")
    for _ in range(2):
        await groups.join("staff", user.user_id)
    assert await groups.members("STAFF", None, 10) == [user.username]
    found = await world.stores.users.find(user.user_id)
    assert found
    assert found.groups == ("Staff",)
    for _ in range(2):
        await groups.leave("staff", user.user_id)
    assert await groups.members("Staff", None, 10) == []
    assert await events(world) == [
        ("group_added", "Staff"),
        ("group_joined", "Staff"),
        ("group_left", "Staff"),
    ]


async def test_a_membership_ends_with_the_group_and_with_the_user(world: World) -> None:
    """Deleting a group or a user deletes memberships."""
    groups, users = world.stores.groups, world.stores.users
    one, two = await world.user(groups=("a", "b")), await world.user(groups=("a",))
    await groups.delete("A")
    await groups.delete("A")
    kept = await users.find(one.user_id)
    assert kept
    assert kept.groups == ("b",)
    await users.delete(one.user_id)
    counts = {group.name: group.member_count for group in await groups.list(None, 10)}
    assert counts == {"b": 0}
    await groups.join("b", one.user_id)
    assert await groups.members("b", None, 10) == []
    assert await users.find(two.user_id)


async def test_groups_and_members_are_listed_page_by_page(world: World) -> None:
    """Lists are ordered by name, without duplicates."""
    groups = world.stores.groups
    for name in ("c", "A", "b"):
        await groups.add(name)
    for username in ("z", "Y", "x"):
        await world.user(username=username, claims={}, groups=("A",))
    first = await groups.list(None, 2)
    rest = await groups.list(first[-1].name, 2)
    assert [group.name for group in (*first, *rest)] == ["A", "b", "c"]
    assert await groups.members("a", None, 2) == ["x", "Y"]
    assert await groups.members("a", "Y", 2) == ["z"]


async def test_a_user_is_added_with_groups_or_not_at_all(world: World) -> None:
    """If the user name is taken, no group is added either."""
    user = await world.user(groups=("Staff",))
    with pytest.raises(Taken):
        await world.user(username=user.username, claims={}, groups=("Others",))
    assert [group.name for group in await world.stores.groups.list(None, 10)] == ["Staff"]


async def test_a_change_of_a_user_replaces_the_groups_only_if_it_names_them(world: World) -> None:
    """Memberships that stay are not audited again."""
    users, user = world.stores.users, await world.user(groups=("a", "b"))
    await users.replace(user)
    before = await events(world)
    await users.replace(replace(user, claims_version=1), ("B", "c"))
    found = await users.find(user.user_id)
    assert found
    assert found.groups == ("b", "c")
    assert (await events(world))[len(before) :] == [
        ("group_left", "a"),
        ("group_added", "c"),
        ("group_joined", "c"),
    ]


async def test_of_many_that_add_the_same_missing_groups_nobody_fails(world: World) -> None:
    """Users are added concurrently with the same groups in any order, without a deadlock."""
    names = [f"g{number}" for number in range(8)]
    added = await asyncio.gather(*(world.user(groups=tuple(names[at:] + names[:at])) for at in range(8)))
    assert [group.member_count for group in await world.stores.groups.list(None, 20)] == [len(added)] * 8


async def test_attributes_of_that_name_become_memberships_once(world: World, database_url: str) -> None:
    """The migration accepts a name or a list of names, skips invalid ones, and runs only once."""
    many = await world.user(claims={"groups": ["Straße", "b", 7, "", "a\u200b"], "roles": ["ADMIN", 1, "b"]})
    one = await world.user(claims={"groups": "STRASSE"})
    none = await world.user(claims={"groups": {"b": True}})
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "DROP TABLE group_roles, user_roles, roles, group_parents, group_members, groups"
    )
    await connection.execute(
        "DELETE FROM schema_migrations WHERE name LIKE '%_groups' OR name LIKE '%_roles'"
    )
    await connection.close()
    assert await migrate(database_url) == ["0013_groups", "0110_nested_groups", "0111_roles"]
    found = [await world.stores.users.find(user.user_id) for user in (many, one, none)]
    spelling = found[1].groups[0] if found[1] and found[1].groups else ""
    assert spelling in ("Straße", "STRASSE")
    assert [user and user.groups for user in found] == [tuple(sorted((spelling, "b"))), (spelling,), ()]
    assert [user and user.roles for user in found] == [("ADMIN", "b"), (), ()]
    await world.stores.groups.leave("b", many.user_id)
    assert await migrate(database_url) == []
    assert await world.stores.groups.members("b", None, 10) == []
