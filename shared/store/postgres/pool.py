"""A few connections to PostgreSQL, each lent to one caller at a time.

Own, and not asyncpg's: lending and taking back there costs as much CPU time as two statements.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType

import asyncpg

from shared.store.postgres.connection import Connection

ACQUIRE_TIMEOUT = 1.0  # seconds until a caller who waits is told that there is none
IDLE_LIFETIME = 300.0  # what lies about for longer, a firewall may have forgotten

BROKEN = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""After these a connection may be in the middle of something. InternalClientError: a backend died under an
idle one."""

Connect = Callable[[], Awaitable[Connection]]


def _expire(served: "asyncio.Future[Connection | None]") -> None:
    if not served.done():
        served.set_exception(TimeoutError("every connection is busy"))


class Pool:
    """Opens connections when they are needed. The last used is lent first: its statements are prepared."""

    def __init__(self, connect: Connect, size: int) -> None:
        self._connect = connect
        self._free = size  # places without a connection, promised to nobody
        self._idle: list[tuple[Connection, float]] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._known: set[Connection] = set()

    def lend(self) -> "Loan":
        """For `async with`. Raises what `connect` does; TimeoutError: all were busy for ACQUIRE_TIMEOUT."""
        return Loan(self)

    def close(self) -> None:
        """End every connection, whoever has it."""
        for connection in self._known:
            connection.terminate()

    def take_idle(self) -> Connection | None:
        """A connection, if one is there at once."""
        while self._idle:
            connection, since = self._idle.pop()
            if not connection.is_closed() and time.monotonic() - since < IDLE_LIFETIME:
                return connection
            self.discard(connection)
        return None

    async def take(self) -> Connection:
        """A connection, to be given back. Raises as `lend`."""
        if (connection := self.take_idle()) is not None:
            return connection
        if self._free:
            self._free -= 1
            return await self._open()
        return await self._turn() or await self._open()

    def give_back(self, connection: Connection) -> None:
        if connection.is_closed():
            self.discard(connection)
        elif not self._serve(connection):
            self._idle.append((connection, time.monotonic()))

    def give_back_after(self, connection: Connection, fault: BaseException) -> None:
        """It is lent again unless *fault* is an interruption, or what breaks connections."""
        if isinstance(fault, Exception) and not isinstance(fault, BROKEN):
            self.give_back(connection)
        else:
            self.discard(connection)

    def discard(self, connection: Connection) -> None:
        """Of no use any more: somebody else may open another in its place."""
        connection.terminate()
        self._known.discard(connection)
        self._vacate()

    def _vacate(self) -> None:
        """A place has no connection: it is promised to whoever waits, or free."""
        if not self._serve(None):
            self._free += 1

    async def _open(self) -> Connection:
        """A connection in a place that is the caller's."""
        try:
            connection = await self._connect()
        except BaseException:
            self._vacate()
            raise
        self._known.add(connection)
        return connection

    async def _turn(self) -> Connection | None:
        """Wait for a connection; None: for a place, which is the caller's."""
        loop = asyncio.get_running_loop()
        served: asyncio.Future[Connection | None] = loop.create_future()
        self._waiting.append(served)
        expiry = loop.call_later(ACQUIRE_TIMEOUT, _expire, served)
        try:
            return await served
        except asyncio.CancelledError:
            if served.done() and not served.cancelled() and not served.exception():
                self._pass_on(served.result())
            raise
        finally:
            expiry.cancel()

    def _pass_on(self, connection: Connection | None) -> None:
        if connection is None:
            self._vacate()
        else:
            self.give_back(connection)

    def _serve(self, connection: Connection | None) -> bool:
        """Whether somebody was waiting."""
        while self._waiting:
            served = self._waiting.popleft()
            if not served.done():
                served.set_result(connection)
                return True
        return False


@dataclass(slots=True)
class Loan:
    """A connection for as long as a block lasts."""

    pool: Pool
    connection: Connection | None = None

    async def __aenter__(self) -> Connection:
        self.connection = connection = await self.pool.take()
        return connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        assert self.connection is not None
        if error is None:
            self.pool.give_back(self.connection)
        else:
            self.pool.give_back_after(self.connection, error)
