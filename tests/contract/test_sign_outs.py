"""Users who lose a group or a role with many others: at once, while they are signed out in batches."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from services.worker.sign_outs import BATCH, sign_outs
from shared.live import clock
from shared.store import Unavailable
from shared.store.postgres import sign_outs as statements
from shared.store.postgres.outbox import end_sessions_of
from tests.builders import SignIn, World, an_attempt
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.groups import many_are_forgotten, many_are_signed_out_at_once

MANY = 2 * BATCH + BATCH // 2  # with whom a batch is left over

_GIVE = """
WITH added AS (
  INSERT INTO users (user_id, username, username_key, claims)
  SELECT id, id, id, '{}' FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $1)) many
  RETURNING user_id),
joined AS (
  INSERT INTO group_members (user_id, group_id)
  SELECT user_id, group_id FROM added, groups WHERE name = 'low')
INSERT INTO user_roles (user_id, role_id) SELECT user_id, role_id FROM added, roles"""

_STATE = """
SELECT count(*) FILTER (WHERE epoch = 1) AS signed_out, count(*) FILTER (WHERE epoch > 1) AS twice,
       count(DISTINCT xmin::text) FILTER (WHERE epoch > 0) AS transactions,
       (SELECT count(*) FROM sign_outs) AS waiting
  FROM users"""

ENDS = ("delete the group", "delete the group above", "unnest", "take the role", "delete the role")


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment of its own: `low` is in `high`, which has a role."""
    async with open_world(settings_for(database_url, redis_url)) as opened:
        for name in ("low", "high"):
            await opened.stores.groups.add(name)
        high = await opened.stores.groups.find("high")
        assert high
        await opened.stores.groups.nest(high, "low")
        await opened.stores.roles.add("r")
        await opened.stores.roles.give_group("r", "high")
        yield opened


async def a_notified_member(world: World) -> SignIn:
    """A member of `low` with a session, of which a client wants to know the end."""
    client = await world.client(backchannel_logout_uri="https://rp1.test/logout")
    sign_in = await world.sign_in()
    await world.stores.groups.join("low", sign_in.user.user_id)
    code = await world.issued_code(sign_in.code(client.client_id))
    expires_at = clock.now() + timedelta(days=1)
    assert await world.stores.grants.redeem(an_attempt(), uuid4().bytes, code, expires_at, None)
    return sign_in


async def end(world: World, how: str) -> None:
    """Take a group or a role from everybody in `low`."""
    groups, roles = world.stores.groups, world.stores.roles
    match how:
        case "delete the group":
            await groups.delete("low")
        case "delete the group above":
            await groups.delete("high")
        case "unnest":
            await groups.unnest("high", "low")
        case "take the role":
            await roles.take_group("r", "high")
        case _:
            await roles.delete("r")


async def state(world: World) -> dict[str, int]:
    """How many users are signed out, twice or in how many transactions, and how many wait."""
    row = await world.database.row(_STATE)
    assert row
    return dict(row)


@planted(many_are_signed_out_at_once)
@pytest.mark.parametrize("how", ENDS)
async def test_many_are_signed_out_in_batches(world: World, how: str) -> None:
    """The first transaction signs nobody out. Each is signed out once, and the client is notified once."""
    sign_in = await a_notified_member(world)
    await world.database.row(_GIVE, MANY - 1)
    bystander = await world.user()
    await end(world, how)
    user = await world.stores.users.find(sign_in.user.user_id)
    assert user
    kept = ("high", "low") if "role" in how else ("low",) if how != "delete the group" else ()
    assert (user.groups, user.epoch) == (kept, 0)
    assert await state(world) == {"signed_out": 0, "twice": 0, "transactions": 0, "waiting": MANY}
    await sign_outs(world.stores.sign_outs).work()
    assert await state(world) == {"signed_out": MANY, "twice": 0, "transactions": 3, "waiting": 0}
    assert [notice.sid for notice in await world.stores.outbox.list(10)] == [sign_in.sid]
    unconcerned = await world.stores.users.find(bystander.user_id)
    assert unconcerned
    assert unconcerned.epoch == 0


@pytest.mark.parametrize("how", ENDS)
async def test_a_few_are_signed_out_by_the_same_transaction(world: World, how: str) -> None:
    """Before the change is acknowledged."""
    sign_in = await a_notified_member(world)
    await world.database.row(_GIVE, statements.AT_ONCE - 1)
    await end(world, how)
    expected = {"signed_out": statements.AT_ONCE, "twice": 0, "transactions": 1, "waiting": 0}
    assert await state(world) == expected
    assert [notice.sid for notice in await world.stores.outbox.list(10)] == [sign_in.sid]


@planted(many_are_forgotten)
async def test_a_worker_that_dies_in_a_batch_leaves_it_to_the_next(world: World) -> None:
    """Whether it dies between two batches, or before one has committed."""
    await world.database.row(_GIVE, MANY)
    await end(world, "unnest")
    assert await world.stores.sign_outs.sign_out(BATCH) == BATCH

    async def dies(*arguments: Any) -> None:
        await end_sessions_of(*arguments)
        raise Unavailable("the worker was killed")

    with patch.object(statements, "end_sessions_of", dies), pytest.raises(Unavailable):
        await world.stores.sign_outs.sign_out(BATCH)
    assert await state(world) == {
        "signed_out": BATCH,
        "twice": 0,
        "transactions": 1,
        "waiting": MANY - BATCH,
    }
    await sign_outs(world.stores.sign_outs).work()
    assert (await state(world))["signed_out"] == MANY


async def test_several_workers_divide_the_batches(world: World) -> None:
    """A user who waits twice is signed out once, and one who was deleted meanwhile is left out."""
    deleted = await world.user(groups=("low",))
    await world.database.row(_GIVE, MANY)
    await end(world, "take the role")
    await end(world, "unnest")
    assert await world.stores.sign_outs.waiting() == MANY + 1
    await world.stores.users.delete(deleted.user_id)
    await asyncio.gather(*(sign_outs(world.stores.sign_outs).work() for _ in range(3)))
    await sign_outs(world.stores.sign_outs).work()
    final = await state(world)
    assert (final["signed_out"], final["twice"], final["waiting"]) == (MANY, 0, 0)
