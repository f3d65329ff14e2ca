"""Several statements on one connection that are committed together, each bounded like any other."""

from collections.abc import Sequence
from typing import Any

from shared.store.postgres.transport.connection import PATIENCE, SERVER_TIMEOUTS, Connection, Row

_EXTEND = "SELECT " + ", ".join(f"set_config('{name}', $1, true)" for name in SERVER_TIMEOUTS)
_MARGIN = 0.5  # seconds that the client waits longer than the server


CONFIRM = "SELECT pg_logical_emit_message(true, 'ostiary', '')"
"""A commit of its own. A synchronous standby that confirms it has confirmed every commit before it, too."""


class Transaction:
    """The statements of a transaction that has begun."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._patience = PATIENCE

    async def extend(self, seconds: int) -> None:
        """Let each statement of this transaction, each lock and each pause take as long as this."""
        await self.execute(_EXTEND, f"{seconds}s")
        self._patience = seconds + _MARGIN

    async def confirm(self) -> None:
        """Let this commit be one that the standby confirms, although the transaction changes nothing.

        What it found already done may be a commit that the standby has not confirmed. PostgreSQL acknowledges
        a transaction without changes at once.
        """
        await self.execute(CONFIRM)

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
