"""The store of pushed authorization requests."""

import asyncio
import os
from datetime import timedelta

import pytest

from tests.builders import World
from tests.contract.conftest import LAYOUTS

pytestmark = pytest.mark.parametrize("module_redis_url", LAYOUTS, indirect=True, scope="module")

PUSHED = {"client_id": "c", "parameters": {"state": "é"}, "expires_at": 1.5}
LONG = timedelta(minutes=5)


async def test_what_was_pushed_is_found_until_it_ends(world: World) -> None:
    """A request is found any number of times until it ends, once."""
    store, key = world.stores.pushed_requests, os.urandom(32)
    assert await store.find(key) is None
    await store.add(key, PUSHED, LONG)
    assert await store.find(key) == await store.find(key) == PUSHED
    assert sorted(await asyncio.gather(*(store.end(key) for _ in range(20)))) == [False] * 19 + [True]
    assert await store.find(key) is None


async def test_it_goes_by_itself(world: World) -> None:
    """The store keeps the lifetime."""
    store, key = world.stores.pushed_requests, os.urandom(32)
    await store.add(key, PUSHED, timedelta(milliseconds=1))
    async with asyncio.timeout(10):
        while await store.find(key) is not None:
            await asyncio.sleep(0.005)
    assert not await store.end(key)


async def test_a_code_ends_it_in_the_same_round_trip(world: World) -> None:
    """Of twenty concurrent responses to a pushed request, one may be sent."""
    store, key = world.stores.pushed_requests, os.urandom(32)
    client, sign_in = await world.client(), await world.sign_in()
    await store.add(key, PUSHED, LONG)
    code = sign_in.code(client.client_id)
    added = await asyncio.gather(
        *(world.stores.codes.add(os.urandom(32), code, LONG, key) for _ in range(20))
    )
    assert sorted(added) == [False] * 19 + [True]
    assert await store.find(key) is None
    assert await world.stores.codes.add(os.urandom(32), code, LONG)
