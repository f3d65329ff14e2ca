"""How long a traced request waited for each store. Only a process that writes traces uses these stores.

One span for each store is enough to tell where a request spent its time, and costs the same however many
round trips there were. Statements and keys are nowhere in it.
"""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction
from shared.store.redis.transport.topology import Command, Topology


@dataclass(slots=True)
class StoreSpan:
    """One store, from the first round trip to the end of the last, in nanoseconds since 1970."""

    began_at: int = 0
    ended_at: int = 0
    round_trips: int = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """One more, of a statement, a transaction or a batch of commands."""
        self.began_at = self.began_at or time.time_ns()
        self.round_trips += 1
        try:
            yield
        finally:
            self.ended_at = time.time_ns()


@dataclass(frozen=True, slots=True)
class StoreSpans:
    """Those of one request."""

    redis: StoreSpan = field(default_factory=StoreSpan)
    postgresql: StoreSpan = field(default_factory=StoreSpan)


STORE_SPANS: ContextVar[StoreSpans | None] = ContextVar("STORE_SPANS", default=None)
"""Those of the request being answered, if it is traced."""


class TracedDatabase(Database):
    """A database that counts the round trips of each traced request."""

    async def row(self, sql: str, *arguments: Any) -> Row | None:
        with _postgresql():
            return await super().row(sql, *arguments)

    async def rows(self, sql: str, *arguments: Any) -> Sequence[Row]:
        with _postgresql():
            return await super().rows(sql, *arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        with _postgresql():
            async with super().transaction() as transaction:
                yield transaction


def _postgresql() -> AbstractContextManager[None]:
    spans = STORE_SPANS.get()
    return spans.postgresql.one() if spans else nullcontext()


@dataclass(frozen=True, slots=True)
class TracedTopology:
    """A Redis that counts the round trips of each traced request."""

    topology: Topology

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        spans = STORE_SPANS.get()
        with spans.redis.one() if spans else nullcontext():
            return await self.topology.send(commands)

    def rediscover(self) -> None:
        self.topology.rediscover()

    async def close(self) -> None:
        await self.topology.close()
