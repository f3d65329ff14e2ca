"""A connection to PostgreSQL, as requests use it."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson
from asyncpg.prepared_stmt import PreparedStatement

CONNECT_TIMEOUT = 1.0  # seconds
STATEMENT_TIMEOUT = 2.0  # seconds

Row = asyncpg.Record


class Connection(asyncpg.Connection):
    """One through a transaction-mode pooler, behind which no statement stays prepared."""

    __slots__ = ()

    async def first(self, sql: str, arguments: Sequence[Any]) -> Row | None:
        """The first row of a statement."""
        return await self.fetchrow(sql, *arguments)


class KeepingConnection(Connection):
    """Keeps its statements prepared. asyncpg keeps them too, but its way to them takes longer."""

    __slots__ = ("_kept",)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._kept: dict[str, PreparedStatement] = {}

    async def first(self, sql: str, arguments: Sequence[Any]) -> Row | None:
        if (statement := self._kept.get(sql)) is None:
            statement = self._kept[sql] = await self.prepare(sql)
        try:
            return await statement.fetchrow(*arguments)
        except asyncpg.InvalidCachedStatementError:  # the schema has changed: it has not run
            del self._kept[sql]
            return await super().first(sql, arguments)


async def connect(url: str, *, is_pooled: bool) -> Connection:
    """*is_pooled*: a transaction-mode pooler stands between."""
    connection = await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT,
        command_timeout=STATEMENT_TIMEOUT,
        statement_cache_size=0 if is_pooled else 200,
        connection_class=Connection if is_pooled else KeepingConnection,
    )
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
    )
    return connection
