"""The connection pool never exceeds its places, whatever happens to connections and callers."""

import asyncio
from typing import Any, cast

import pytest

from shared.store.postgres.transport.connection import Connection
from shared.store.postgres.transport.pool import Pool


class _Connection:
    """A fake connection for the pool."""

    is_over = False
    expires_at = float("inf")

    def is_closed(self) -> bool:
        return self.is_over

    def terminate(self) -> None:
        self.is_over = True

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109 - as asyncpg's
        self.is_over = True

    async def recover(self) -> bool:
        return True


class _Server:
    """Opens fake connections and counts open ones."""

    def __init__(self) -> None:
        self.made: list[_Connection] = []
        self.is_away = False

    async def connect(self) -> Connection:
        await asyncio.sleep(0)
        if self.is_away:
            raise OSError("it is away")
        self.made.append(_Connection())
        return cast(Connection, self.made[-1])

    @property
    def open(self) -> int:
        return sum(not connection.is_over for connection in self.made)


async def _use(pool: Pool, fault: type[Exception] | None = None) -> None:
    async with pool.lend():
        await asyncio.sleep(0)
        if fault:
            raise fault


async def test_a_place_that_is_promised_is_nobody_elses() -> None:
    """A waiting caller gets the place of a broken connection before later callers."""
    server = _Server()
    pool = Pool(server.connect, 1)
    connection = await pool.take()
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    others = [asyncio.create_task(pool.take()) for _ in range(3)]  # which run before who is promised
    connection.terminate()
    pool.give_back(connection)
    await waiting
    await asyncio.sleep(0.01)
    assert server.open == 1
    for other in others:
        other.cancel()


@pytest.mark.parametrize("fault", [OSError, ZeroDivisionError])
async def test_faults_neither_lose_places_nor_add_any(fault: type[Exception]) -> None:
    """Many concurrent callers with failures and cancellations, while the server goes down and up."""
    server = _Server()
    pool = Pool(server.connect, 3)
    for is_away in (False, True, False):
        server.is_away = is_away
        faults: list[type[Exception] | None] = [fault, None, None]
        users = [asyncio.create_task(_use(pool, faults[number % 3])) for number in range(60)]
        for _ in range(3):
            await asyncio.sleep(0)
        for user in users[::7]:
            user.cancel()
        results: list[Any] = await asyncio.gather(*users, return_exceptions=True)
        assert server.open <= 3
        assert not any(isinstance(result, TimeoutError) for result in results)
    lent = [await pool.take() for _ in range(3)]
    assert len(set(lent)) == server.open == 3


async def test_a_connection_that_opens_while_the_pool_closes_is_ended() -> None:
    """A connection whose caller was cancelled meanwhile is closed."""
    server = _Server()
    pool = Pool(server.connect, 1)
    opening = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    pool.close()
    with pytest.raises(ConnectionError):
        await opening
    assert (len(server.made), server.open) == (1, 0)


async def test_the_connection_used_last_is_lent_first() -> None:
    """Its statements are prepared, and the others grow old enough to be closed."""
    pool = Pool(_Server().connect, 2)
    first, last = [await pool.take() for _ in range(2)]
    pool.give_back(first)
    pool.give_back(last)
    assert [await pool.take(), await pool.take()] == [last, first]


async def test_callers_are_served_in_the_order_in_which_they_came() -> None:
    """A caller who was cancelled is passed over."""
    pool = Pool(_Server().connect, 1)
    connection, served = await pool.take(), list[str]()

    async def use(name: str) -> None:
        async with pool.lend():
            served.append(name)

    callers = [asyncio.create_task(use(name)) for name in ("first", "cancelled", "second", "last")]
    await asyncio.sleep(0)
    assert pool.statistics().waiting == 4
    callers[1].cancel()
    await asyncio.sleep(0)
    assert pool.statistics().waiting == 3
    pool.give_back(connection)
    await asyncio.gather(*callers, return_exceptions=True)
    assert served == ["first", "second", "last"]
    assert pool.statistics().idle == 1


async def test_what_a_cancelled_caller_was_served_is_taken_back() -> None:
    """The caller is cancelled after a connection was given to it, and before it runs."""
    pool = Pool(_Server().connect, 1)
    connection = await pool.take()
    caller = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    pool.give_back(connection)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert pool.take_idle() is connection
