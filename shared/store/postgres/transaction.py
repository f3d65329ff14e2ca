"""Several statements on one connection that are committed together, each bounded like any other."""

from collections.abc import Sequence
from typing import Any

from shared.store.postgres.connection import PATIENCE, Connection, Row

_EXTEND = """
SELECT set_config('statement_timeout', $1, true),
       set_config('idle_in_transaction_session_timeout', $1, true)"""
_MARGIN = 0.5  # seconds that the client waits longer than the server


class Transaction:
    """The statements of a transaction that has begun."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._patience = PATIENCE

    async def extend(self, seconds: int) -> None:
        """Let each statement of this transaction, and each pause between two, take so long."""
        await self.execute(_EXTEND, f"{seconds}s")
        self._patience = seconds + _MARGIN

    async def execute(self, sql: str, *arguments: Any) -> None:
        """Run a statement for its effect."""
        await self._connection.execute(sql, *arguments, timeout=self._patience)

    async def fetchrow(self, sql: str, *arguments: Any) -> Row | None:
        """The first row of a statement."""
        return await self._connection.fetchrow(sql, *arguments, timeout=self._patience)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """The first value of the first row of a statement."""
        return await self._connection.fetchval(sql, *arguments, timeout=self._patience)

    async def fetch(self, sql: str, *arguments: Any) -> Sequence[Row]:
        """All rows of a statement."""
        rows: Sequence[Row] = await self._connection.fetch(sql, *arguments, timeout=self._patience)
        return rows
