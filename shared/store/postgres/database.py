"""A pool of connections whose faults are `Unavailable`, and which costs one round trip a statement."""

import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from shared.store import Unavailable

ACQUIRE_TIMEOUT = 1.0  # seconds
STATEMENT_TIMEOUT = 2.0
CONNECT_TIMEOUT = 2.0
IDLE_LIFETIME = 300.0

# Classes of SQLSTATE that tell of the server's state, not of the statement: connection exception, transaction
# rollback, insufficient resources, operator intervention, system error; and "read only", after a failover.
_OPERATIONAL = ("08", "40", "53", "57", "58", "XX")
_READ_ONLY = "25006"
_LOCK_NOT_AVAILABLE = "55P03"
_REFERRED_ROW_GONE = "23503"  # deleted in this moment: whoever asks again is told so

Row = asyncpg.Record

logger = logging.getLogger(__name__)


@contextmanager
def dependency() -> Iterator[None]:
    """Turn every fault of the server or the way to it into Unavailable; let faults of a statement through."""
    try:
        yield
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if state.startswith(_OPERATIONAL) or state in (_READ_ONLY, _LOCK_NOT_AVAILABLE, _REFERRED_ROW_GONE):
            raise Unavailable(f"PostgreSQL: {state} {error}") from error
        raise
    # InternalClientError: a backend died under an idle connection; neither PostgresError nor OSError.
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise Unavailable(f"PostgreSQL: {type(error).__name__} {error}") from error


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
    )


async def _no_reset(connection: Any) -> None:
    """Nothing here uses SET, LISTEN or session locks, so a released connection needs no round trip."""


class Database:
    """One process's way to PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        # Connections that are ours and idle, the last used last, and since when. The pool's own way to lend
        # one and to take it back costs as much CPU time as a statement.
        self._idle: list[tuple[PoolConnectionProxy[Row], float]] = []
        self._waiting = 0

    @classmethod
    async def open(cls, url: str, *, size: int, is_pooled: bool = False) -> "Database":
        """Opens no connection yet: a process starts while PostgreSQL is away.

        *is_pooled*: a transaction-mode pooler stands between; prepared statements are off.
        """
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=size,
            timeout=CONNECT_TIMEOUT,
            command_timeout=STATEMENT_TIMEOUT,
            max_inactive_connection_lifetime=IDLE_LIFETIME,
            statement_cache_size=0 if is_pooled else 200,
            init=_prepare,
            reset=_no_reset,
        )
        return cls(pool)

    async def close(self) -> None:
        self._pool.terminate()

    async def _take(self) -> "PoolConnectionProxy[Row]":
        while self._idle:
            connection, since = self._idle.pop()
            try:
                if not connection.is_closed() and time.monotonic() - since < IDLE_LIFETIME:
                    return connection
            except asyncpg.InterfaceError:  # it died while idle, and has left the pool by itself
                continue
            connection.terminate()
            await self._pool.release(connection)
        self._waiting += 1
        try:
            return await self._pool.acquire(timeout=ACQUIRE_TIMEOUT)
        finally:
            self._waiting -= 1

    async def _give_back(self, connection: "PoolConnectionProxy[Row]") -> None:
        if self._waiting:
            await self._pool.release(connection)
        else:
            self._idle.append((connection, time.monotonic()))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await self._take()
        try:
            yield cast(asyncpg.Connection, connection)
        except BaseException:
            await self._pool.release(connection)  # which knows what to do with one that was interrupted
            raise
        await self._give_back(connection)

    async def row(self, sql: str, *arguments: Any) -> Row | None:
        """The first row of a statement."""
        with dependency():
            async with self._connection() as connection:
                return await connection.fetchrow(sql, *arguments)

    async def rows(self, sql: str, *arguments: Any) -> Sequence[Row]:
        """All rows of a statement."""
        with dependency():
            async with self._connection() as connection:
                return await connection.fetch(sql, *arguments)

    async def row_idempotent(self, sql: str, *arguments: Any) -> Row | None:
        """Like `row`, for a statement that may run twice: after a lost answer it is sent once more."""
        try:
            return await self.row(sql, *arguments)
        except Unavailable:
            return await self.row(sql, *arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """For what is rare: several statements at once. Hot paths use one statement."""
        with dependency():
            async with self._connection() as connection, connection.transaction():
                yield connection
