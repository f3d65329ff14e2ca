"""Statements on PostgreSQL, one round trip each, whose faults are `Unavailable`."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Self

from shared.store import OutcomeUnknown, PoolStatistics, Unavailable
from shared.store.postgres.transport.connection import PATIENCE, Connection, Row, connect
from shared.store.postgres.transport.faults import COMMITTING, DEPENDENCY, may_repeat, unconfirmed
from shared.store.postgres.transport.pool import BROKEN, Pool
from shared.store.postgres.transport.server_clock import ServerClock
from shared.store.postgres.transport.transaction import CONFIRM, Transaction

_FIRST_MEASUREMENTS = 3  # of which the fastest counts


class Database:
    """One process's way to PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.clock = ServerClock()

    @classmethod
    def open(cls, url: str, *, size: int, is_pooled: bool = False) -> Self:
        """Opens no connection yet: a process starts while PostgreSQL is away.

        *is_pooled*: a transaction-mode pooler stands between; prepared statements are off.
        """

        return cls(Pool(partial(connect, url, is_pooled=is_pooled), size))

    def close(self) -> None:
        self._pool.close()

    def statistics(self) -> PoolStatistics:
        """The numbers of the pool."""
        return self._pool.statistics()

    def leave_server(self) -> None:
        """Close what is idle: the server has turned out to be read only. The next caller connects anew."""
        self._pool.retire_idle()

    async def measure_clock(self) -> None:
        """Measure the server's clock over a connection that is open: opening one takes many round trips."""
        with DEPENDENCY:
            async with self._pool.lend() as connection:
                for _ in range(_FIRST_MEASUREMENTS):
                    sent_at = time.monotonic()
                    server_time = await connection.fetchval("SELECT clock_timestamp()", timeout=PATIENCE)
                    self.clock.measured(sent_at, server_time)

    async def row(self, sql: str, *arguments: Any) -> Row | None:
        """The first row of a statement: what most requests ask for, in as few steps as can be."""
        with DEPENDENCY:
            connection = self._pool.take_idle() or await self._pool.take()
        with COMMITTING:
            try:
                row = await connection.first(sql, arguments)
                if connection.is_unconfirmed:
                    _refuse(connection)
            except BaseException as fault:
                self._pool.give_back_after(connection, fault)
                raise
        self._pool.give_back(connection)
        return row

    async def rows(self, sql: str, *arguments: Any) -> Sequence[Row]:
        """All rows of a statement."""
        with DEPENDENCY:
            async with self._pool.lend() as connection:
                with COMMITTING:
                    rows: Sequence[Row] = await connection.fetch(sql, *arguments, timeout=PATIENCE)
                    if connection.is_unconfirmed:
                        _refuse(connection)
                    return rows

    async def row_idempotent(self, sql: str, *arguments: Any) -> Row | None:
        """Like `row`, for a statement that may run twice: after a lost connection it is sent once more.

        Raises OutcomeUnknown if the outcome of either attempt is unknown and the second fails.
        """
        try:
            return await self.row(sql, *arguments)
        except Unavailable as first:
            if not may_repeat(first):
                raise
            try:
                return await self.row(sql, *arguments)
            except Unavailable as second:
                if isinstance(first, OutcomeUnknown):
                    raise OutcomeUnknown(str(second)) from first
                raise

    async def end(self, sql: str, *arguments: Any) -> None:
        """Run an idempotent statement that ends something and returns a row if it did.

        If it did not, that may have ended before, which is confirmed.
        """
        if await self.row_idempotent(sql, *arguments) is None:
            await self.confirm()

    async def confirm(self) -> None:
        """Return when the synchronous standby, if there is one, has every commit until now.

        For a negative fact that a statement found already done: see `Transaction.confirm`.
        """
        await self.row(CONFIRM)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Several statements in one transaction, for rare operations. Hot paths use one statement.

        Raises OutcomeUnknown for the commit only: a fault before it has committed nothing.
        """
        with DEPENDENCY:
            async with self._pool.lend() as connection:
                await connection.execute("BEGIN", timeout=PATIENCE)
                try:
                    yield Transaction(connection)
                except Exception as fault:
                    if not isinstance(fault, BROKEN):  # else the pool rolls back, once the server answers
                        await connection.execute("ROLLBACK", timeout=PATIENCE)
                    raise
                with COMMITTING:
                    status = await connection.execute("COMMIT", timeout=PATIENCE)
                    if connection.is_unconfirmed:
                        _refuse(connection)
                if status != "COMMIT":  # a statement had failed, and its error was swallowed
                    raise Unavailable(f"PostgreSQL: the transaction ended in {status}")


def _refuse(connection: Connection) -> None:
    connection.is_unconfirmed = False
    raise unconfirmed()
