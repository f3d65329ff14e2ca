"""`DeviceCodes` with the real Redis: finding, deciding, polling and limits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from shared.live import clock
from shared.live.randomness import new_handle
from shared.model import Approved, ClaimsRequest, Denied, DeviceCode, Pending
from shared.oauth.tokens.handle import Kind, digest
from shared.store import Taken
from tests.builders import World
from tests.contract.conftest import in_every_layout
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.redemption import interval_stays

LIFETIME = timedelta(minutes=10)
INTERVAL = timedelta(minutes=5)
GROWTH = timedelta(minutes=1)


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment of the test's own."""
    async with open_world(settings_for(database_url, redis_url)) as opened:
        yield opened


def _hash() -> bytes:
    return digest(new_handle(Kind.DEVICE_CODE))


def _code(user_code: str = "WDJB-MJHT", client_id: str = "client") -> DeviceCode:
    expires_at = clock.now().replace(microsecond=0) + LIFETIME
    return DeviceCode(client_id=client_id, scope=("openid", "x"), user_code=user_code, expires_at=expires_at)


@in_every_layout
async def test_a_code_is_found_by_either_name(world: World) -> None:
    """A new code is pending, and is found as it was added."""
    codes, code_hash, code = world.stores.device_codes, _hash(), _code()
    assert await codes.add(code_hash, code, LIFETIME, 10)
    assert await codes.find("WDJB-MJHT") == (code_hash, code)
    polled = await codes.poll(code_hash, INTERVAL, GROWTH)
    assert polled
    assert (polled.code, polled.code.state) == (code, Pending())


@in_every_layout
async def test_unknown_codes_are_none(world: World) -> None:
    """Never issued."""
    assert await world.stores.device_codes.poll(_hash(), INTERVAL, GROWTH) is None
    assert await world.stores.device_codes.find("WDJB-MJHT") is None


@in_every_layout
async def test_a_user_code_in_flight_is_not_given_twice(world: World) -> None:
    """A user code in use is refused; the first device code keeps it."""
    codes, first = world.stores.device_codes, _hash()
    await codes.add(first, _code(), LIFETIME, 10)
    with pytest.raises(Taken):
        await codes.add(_hash(), _code(), LIFETIME, 10)
    found = await codes.find("WDJB-MJHT")
    assert found
    assert found[0] == first


@in_every_layout
async def test_what_was_decided_comes_back_and_the_user_code_is_gone(world: World) -> None:
    """An approved code has everything that redemption needs."""
    codes, sign_in = world.stores.device_codes, await world.sign_in()
    authorization = sign_in.authorization("client", claims=ClaimsRequest(), nonce=None)
    for name, state in (("BBBB-BBBB", Approved(authorization, 3)), ("CCCC-CCCC", Denied())):
        code_hash, code = _hash(), _code(name)
        await codes.add(code_hash, code, LIFETIME, 10)
        assert await codes.decide(code_hash, code, state)
        polled = await codes.poll(code_hash, INTERVAL, GROWTH)
        assert polled
        assert polled.code == replace(code, state=state)
        assert await codes.find(name) is None


@in_every_layout
async def test_of_many_decisions_one_counts(world: World) -> None:
    """Of concurrent decisions, one counts."""
    codes, code_hash, code = world.stores.device_codes, _hash(), _code()
    await codes.add(code_hash, code, LIFETIME, 10)
    sign_ins = [await world.sign_in() for _ in range(5)]
    states: list[Approved | Denied] = [
        *(Approved(sign_in.authorization("client"), 0) for sign_in in sign_ins),
        Denied(),
    ]
    decided = await asyncio.gather(*(codes.decide(code_hash, code, state) for state in states))
    assert sum(decided) == 1
    polled = await codes.poll(code_hash, INTERVAL, GROWTH)
    assert polled
    assert polled.code.state == states[decided.index(True)]


@in_every_layout
async def test_polls_within_the_interval_are_too_fast(world: World) -> None:
    """The first poll is never too fast, and codes are polled independently."""
    codes, one, other = world.stores.device_codes, _hash(), _hash()
    await codes.add(one, _code("BBBB-BBBB"), LIFETIME, 10)
    await codes.add(other, _code("CCCC-CCCC"), LIFETIME, 10)
    polls = [await codes.poll(code_hash, INTERVAL, GROWTH) for code_hash in (one, one, other, one)]
    assert [poll.is_too_fast for poll in polls if poll] == [False, True, False, True]


@in_every_layout
async def test_a_client_has_so_many_in_flight_and_no_more(world: World) -> None:
    """Pending codes are counted exactly, for each client by itself."""
    codes, letters = world.stores.device_codes, "BCDFGHJKLMNPQRSTVWXZ"
    added = await asyncio.gather(
        *(codes.add(_hash(), _code(f"{letter * 4}-BBBB", "greedy"), LIFETIME, 7) for letter in letters)
    )
    assert sum(added) == 7
    assert await codes.add(_hash(), _code("BBBB-CCCC", "modest"), LIFETIME, 7)


@in_every_layout
async def test_a_guess_counts_for_as_many_as_are_in_flight(world: World) -> None:
    """A wrong guess counts for each pending code, so the chance of a hit is bounded."""
    codes = world.stores.device_codes
    for letter in "BCDFG":
        await codes.add(_hash(), _code(f"{letter * 4}-BBBB"), LIFETIME, 10)
    assert await codes.may_guess(1)
    await codes.count_guess(INTERVAL)
    assert not await codes.may_guess(5)
    assert await codes.may_guess(6)


async def test_no_code_stands_in_redis_as_it_is(world: World, redis_url: str) -> None:
    """Names of keys contain neither code. The value has the user code, which the page shows."""
    device_code = new_handle(Kind.DEVICE_CODE)
    await world.stores.device_codes.add(digest(device_code), _code(), LIFETIME, 10)
    redis = Redis.from_url(redis_url)
    keys = [key.decode() async for key in redis.scan_iter("*")]
    values = [str(await redis.get(key)) for key in keys if await redis.type(key) == b"string"]
    await redis.aclose()
    assert keys
    assert not any("WDJB" in key or device_code in key for key in keys)
    assert not any(device_code in value for value in values)


@planted(interval_stays)
async def test_the_interval_grows_with_each_poll_that_is_too_fast(world: World, redis_url: str) -> None:
    """RFC 8628 §3.5: the interval stays longer until the user has decided."""
    codes, code_hash, code = world.stores.device_codes, _hash(), _code()
    await codes.add(code_hash, code, LIFETIME, 10)
    mark, lengths = f"{{device:{code_hash.hex()}}}:polled", []
    async with Redis.from_url(redis_url) as redis:
        for is_over in (False, False, False, True):
            if is_over:  # the client has waited as long as it should
                await redis.delete(mark)
            polled = await codes.poll(code_hash, INTERVAL, GROWTH)
            assert polled
            lengths.append((polled.is_too_fast, await redis.pttl(mark)))
        await codes.decide(code_hash, code, Denied())
        await codes.poll(code_hash, INTERVAL, GROWTH)
        lengths.append((True, await redis.pttl(mark)))
    whole, more = INTERVAL.total_seconds() * 1000, GROWTH.total_seconds() * 1000
    expected = ((False, 0), (True, 1), (True, 2), (False, 2), (True, 2))
    for (is_too_fast, left), (was_too_fast, times) in zip(lengths, expected, strict=True):
        assert is_too_fast == was_too_fast
        assert whole + (times - 1) * more < left <= whole + times * more
