"""The store of groups: groups that are members of groups."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.model import User
from shared.oauth.resource.own import READ_GROUPS, READ_USERS
from shared.store import CyclicGroups, NestedTooDeeply, Stale, UserFilter, UserGroup
from shared.store.postgres.nesting import MAX_LEVELS
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.groups import (
    groups_are_nested_at_once,
    who_joins_meanwhile_is_missed,
    who_leaves_stays_signed_in,
)

JOIN = """
INSERT INTO group_members (user_id, group_id) SELECT $1, group_id FROM groups WHERE name = 'team'"""
IS_WAITING = """
SELECT EXISTS (
  SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"""


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment of its own."""
    async with open_world(settings_for(database_url, redis_url)) as opened:
        yield opened


async def a_group(world: World, name: str, *members: str, scopes: tuple[str, ...] = ()) -> None:
    """A new group with these groups in it."""
    await world.stores.groups.add(name, scopes)
    for member in members:
        await nest(world, name, member)


async def found(world: World, name: str) -> UserGroup:
    """The group of that name."""
    group = await world.stores.groups.find(name)
    assert group
    return group


async def nest(world: World, parent: str, member: str) -> None:
    """Make a group a member of a group."""
    await world.stores.groups.nest(await found(world, parent), member)


async def groups_of(world: World, user: User) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """The groups that a user is in, and those among them without the ones through others."""
    read = await world.stores.users.find(user.user_id)
    assert read
    return read.groups, read.direct_groups


async def epoch_of(world: World, user: User) -> int:
    """Rises when everything of the user ends."""
    read = await world.stores.users.find(user.user_id)
    assert read
    return read.epoch


async def test_who_is_in_a_group_is_in_the_groups_above(world: World) -> None:
    """Each group once, whatever the number of ways to it; groups are read with both sides."""
    for name, members in (("d", ()), ("c", ("D",)), ("b", ("d",)), ("A", ("b", "c"))):
        await a_group(world, name, *members)
    user, other = await world.user(groups=("d",)), await world.user(groups=("c",))
    assert await groups_of(world, user) == (("A", "b", "c", "d"), ("d",))
    assert await groups_of(world, other) == (("A", "c"), ("c",))
    top, bottom = await found(world, "a"), await found(world, "d")
    assert (top.groups, top.parents, bottom.groups, bottom.parents) == (("b", "c"), (), (), ("b", "c"))
    assert (top.member_count, top.effective_member_count, bottom.effective_member_count) == (0, 2, 1)
    names = sorted((user.username, other.username))
    assert await world.stores.groups.members("a", None, 10) == []
    assert await world.stores.groups.effective_members("A", None, 10) == names
    assert await world.stores.groups.effective_members("a", names[0], 10) == names[1:]
    listed = await world.stores.users.list(None, 10, UserFilter(group="a", is_disabled=False))
    assert [each.username for each in listed] == names


async def test_a_group_has_the_scopes_of_the_groups_above(world: World) -> None:
    """Its own and those; its members have them all."""
    await a_group(world, "low", scopes=(READ_USERS,))
    await a_group(world, "high", "low", scopes=(READ_GROUPS,))
    user = await world.user(groups=("low",))
    low, high = await found(world, "low"), await found(world, "high")
    assert (low.scopes, low.effective_scopes) == ((READ_USERS,), (READ_GROUPS, READ_USERS))
    assert high.effective_scopes == (READ_GROUPS,)
    assert await world.stores.groups.rights_of_user(user.user_id) == {READ_USERS, READ_GROUPS}
    assert await world.stores.groups.rights_of_groups(["LOW"]) == {READ_USERS, READ_GROUPS}


async def test_nesting_may_be_repeated_and_is_audited_once(world: World) -> None:
    """As is its end, and each makes a new version of both groups."""
    for name in ("staff", "Team"):
        await a_group(world, name)
    for _ in range(2):
        await nest(world, "staff", "TEAM")
    assert [(await found(world, name)).version for name in ("staff", "team")] == [2, 2]
    for _ in range(2):
        await world.stores.groups.unnest("Staff", "team")
    rows = [row async for row in world.audit_rows() if "nested" in row["event"]]
    detail = {"group": "staff", "member": "Team"}
    assert [(row["event"], row["detail"]) for row in rows] == [
        ("group_nested", detail),
        ("group_unnested", detail),
    ]
    assert [(await found(world, name)).version for name in ("staff", "team")] == [3, 3]


async def test_no_group_is_in_itself(world: World) -> None:
    """Neither directly nor through others."""
    await a_group(world, "c")
    await a_group(world, "b", "c")
    await a_group(world, "a", "b")
    for parent, member in (("a", "a"), ("b", "a"), ("c", "a"), ("C", "B")):
        with pytest.raises(CyclicGroups):
            await nest(world, parent, member)


@planted(groups_are_nested_at_once)
async def test_two_writers_make_no_cycle(world: World) -> None:
    """Two nestings that have no group in common would make one together: one of them is refused."""
    for attempt in range(8):
        top, below_top, other, below_other = (f"{name} {attempt}" for name in ("a", "b", "c", "d"))
        for name, members in (
            (below_top, ()),
            (top, (below_top,)),
            (below_other, ()),
            (other, (below_other,)),
        ):
            await a_group(world, name, *members)
        groups = await found(world, below_top), await found(world, below_other)
        faults = await asyncio.gather(
            world.stores.groups.nest(groups[0], other),
            world.stores.groups.nest(groups[1], top),
            return_exceptions=True,
        )
        assert [type(fault) for fault in faults if fault] == [CyclicGroups]


async def test_groups_are_nested_so_deeply_only(world: World) -> None:
    """The levels below the new member and above the group count together."""
    await a_group(world, "0")
    for level in range(1, MAX_LEVELS):
        await a_group(world, str(level), str(level - 1))
    await a_group(world, "top")
    with pytest.raises(NestedTooDeeply):
        await nest(world, "top", str(MAX_LEVELS - 1))
    await nest(world, "top", str(MAX_LEVELS - 2))
    await a_group(world, "bottom")
    with pytest.raises(NestedTooDeeply):
        await nest(world, "0", "bottom")


async def test_a_group_of_another_version_takes_no_member(world: World) -> None:
    """It may have other scopes by now."""
    for name in ("staff", "team"):
        await a_group(world, name)
    read = await found(world, "staff")
    await world.stores.groups.replace(read, "staff", (READ_USERS,))
    with pytest.raises(Stale):
        await world.stores.groups.nest(read, "team")


@planted(who_leaves_stays_signed_in)
@pytest.mark.parametrize("end", ["unnest", "delete the parent", "delete the member"])
async def test_the_end_of_a_nesting_signs_out_whoever_was_in_both(world: World, end: str) -> None:
    """Through further groups, too, and nobody else."""
    for name, members in (("low", ()), ("team", ("low",)), ("staff", ("team",)), ("others", ())):
        await a_group(world, name, *members)
    users = [await world.user(groups=(name,)) for name in ("low", "team", "others")]
    match end:
        case "unnest":
            await world.stores.groups.unnest("staff", "team")
        case "delete the parent":
            await world.stores.groups.delete("staff")
        case _:
            await world.stores.groups.delete("team")
    assert [await epoch_of(world, user) for user in users] == [1, 1, 0]
    assert "staff" not in ((await groups_of(world, users[0]))[0] or ())


@planted(who_joins_meanwhile_is_missed)
async def test_who_is_joining_while_a_nesting_ends_is_signed_out(world: World, database_url: str) -> None:
    """The end waits for the join: from its commit on, the user was in the group above."""
    await a_group(world, "team")
    await a_group(world, "staff", "team")
    user = await world.user()
    joining, looking = [await asyncpg.connect(database_url) for _ in range(2)]
    async with joining.transaction():
        await joining.execute(JOIN, user.user_id)
        end = asyncio.create_task(world.stores.groups.unnest("staff", "team"))
        while not end.done() and not await looking.fetchval(IS_WAITING):
            await asyncio.sleep(0)
    await end
    assert (await groups_of(world, user), await epoch_of(world, user)) == ((("team",), ("team",)), 1)
    for connection in (joining, looking):
        await connection.close()
