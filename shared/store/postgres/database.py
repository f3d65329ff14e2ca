"""Statements on PostgreSQL, one round trip each, whose faults are `Unavailable`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any

import asyncpg

from shared.store import Misconfigured, OutcomeUnknown, Unavailable
from shared.store.postgres.connection import Connection, Row, connect
from shared.store.postgres.pool import BROKEN, Pool
from shared.store.postgres.server_clock import ServerClock

# Classes of SQLSTATE that tell of the server's state, not of the statement: connection exception, transaction
# rollback, insufficient resources, operator intervention, system error.
_OPERATIONAL = ("08", "40", "53", "57", "58", "XX")
_MOMENTARY = (
    "25006",  # read only, after a failover
    "55P03",  # a lock was not to be had
    "23503",  # a referred row was deleted in this moment: whoever asks again is told so
)
_MISCONFIGURED = ("28", "3D", "42501")  # password or role, database, privilege

_TIMED_OUT_IDLE = ("25P03", "57P05")  # the session ended before the statement arrived


class Dependency:
    """For `with`: faults of the server or the network become Unavailable, those of a statement do not.

    *may_commit*: the block sends a statement that commits. Its faults are OutcomeUnknown, except for an
    ERROR, by which the server says that it rolled back. FATAL and a lost connection may follow the commit.
    """

    def __init__(self, *, may_commit: bool) -> None:
        self._may_commit = may_commit

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, asyncpg.PostgresError):
            state = error.sqlstate or ""
            if state.startswith(_MISCONFIGURED):
                raise Misconfigured(f"PostgreSQL: {state} {error}") from error
            if state.startswith(_OPERATIONAL) or state in (*_MOMENTARY, *_TIMED_OUT_IDLE):
                is_certain = error.severity_en == "ERROR" or state in _TIMED_OUT_IDLE
                raise self._fault(f"{state} {error}", is_certain) from error
        elif isinstance(error, BROKEN):
            raise self._fault(f"{type(error).__name__} {error}", is_certain=False) from error

    def _fault(self, told: str, is_certain: bool) -> Unavailable:
        fault = OutcomeUnknown if self._may_commit and not is_certain else Unavailable
        return fault(f"PostgreSQL: {told}")


DEPENDENCY = Dependency(may_commit=False)
COMMITTING = Dependency(may_commit=True)


class Database:
    """One process's way to PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.clock = ServerClock()

    @classmethod
    def open(cls, url: str, *, size: int, is_pooled: bool = False) -> "Database":
        """Opens no connection yet: a process starts while PostgreSQL is away.

        *is_pooled*: a transaction-mode pooler stands between; prepared statements are off.
        """

        return cls(Pool(partial(connect, url, is_pooled=is_pooled), size))

    def close(self) -> None:
        self._pool.close()

    async def row(self, sql: str, *arguments: Any) -> Row | None:
        """The first row of a statement: what most requests ask for, in as few steps as can be."""
        with DEPENDENCY:
            connection = self._pool.take_idle() or await self._pool.take()
        with COMMITTING:
            try:
                row = await connection.first(sql, arguments)
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
                    return await connection.fetch(sql, *arguments)

    async def row_idempotent(self, sql: str, *arguments: Any) -> Row | None:
        """Like `row`, for a statement that may run twice: after a fault it is sent once more.

        Raises OutcomeUnknown if the second attempt fails after the outcome of either is unknown.
        """
        try:
            return await self.row(sql, *arguments)
        except OutcomeUnknown as first:
            try:
                return await self.row(sql, *arguments)
            except Unavailable as second:
                raise OutcomeUnknown(str(second)) from first
        except Unavailable:
            return await self.row(sql, *arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Several statements in one transaction, for rare operations. Hot paths use one statement.

        Raises OutcomeUnknown for the commit only: a fault before it has committed nothing.
        """
        with DEPENDENCY:
            async with self._pool.lend() as connection:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    yield connection
                except BaseException:
                    await transaction.rollback()
                    raise
                with COMMITTING:
                    await transaction.commit()
