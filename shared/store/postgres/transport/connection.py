"""A connection to PostgreSQL, as requests use it.

The server gives up before the client does. Its timeouts end a statement that waits for a lock or runs too
long, and a transaction whose client has stopped. The client waits a little longer, so a caller that is told
that nothing happened can rely on it. The client's own timeout is for a server that does not answer at all:
asyncpg then asks for the statement to be cancelled and keeps the connection until the server confirms that.
The timeout is passed with each statement: the connection's `command_timeout` would also bound the
confirmation.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import orjson
from asyncpg.prepared_stmt import PreparedStatement

CONNECT_TIMEOUT = 1.0  # seconds
PATIENCE = 2.0  # seconds that a caller waits for a statement

SERVER_TIMEOUTS = {  # milliseconds, each less than PATIENCE
    "statement_timeout": 1500,
    "lock_timeout": 1000,
    "idle_in_transaction_session_timeout": 1500,
}
WRITABLE: dict[str, Any] = {"target_session_attrs": "read-write"}
"""An argument of `asyncpg.connect`: of several hosts the first that accepts writes, or none."""

NO_FILE = "/dev/null/none"  # a path that cannot exist


def named_by(url: str) -> dict[str, Any]:
    """Arguments of `asyncpg.connect` by which a password comes from *url* alone, and not from ~/.pgpass.

    A URL may name a file: `?passfile=PATH`.
    """
    return {} if "passfile" in parse_qs(urlsplit(url).query) else {"passfile": NO_FILE}


LIFETIME = 3600.0  # seconds, less up to a tenth: connections move to a new server, but not all at once

_UNCONFIRMED = ("01000", "57P01")
"""SQLSTATE of the warning that the synchronous standby has not confirmed a commit: the wait was cancelled, or
the backend was told to end. The transaction is committed on the primary and may be missing elsewhere."""

Row = asyncpg.Record


class Connection(asyncpg.Connection):
    """A connection through a transaction-mode pooler, behind which no statement stays prepared."""

    __slots__ = ("expires_at", "is_unconfirmed")

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.expires_at = time.monotonic() + LIFETIME * random.uniform(0.9, 1)  # noqa: S311 - spreads load
        self.is_unconfirmed = False

    async def first(self, sql: str, arguments: Sequence[Any]) -> Row | None:
        """The first row of a statement."""
        return await self.fetchrow(sql, *arguments, timeout=PATIENCE)

    async def recover(self) -> bool:
        """Wait until the server has given up the statement before, and end its transaction.

        Returns whether the server is writable. Waits without limit. Raises what asyncpg does when the
        connection is lost.
        """
        try:
            await self.execute("ROLLBACK")
        except asyncpg.QueryCanceledError:  # the request to cancel arrived late
            await self.execute("ROLLBACK")
        self.is_unconfirmed = False
        return bool(await self.fetchval("SELECT current_setting('transaction_read_only') = 'off'"))


class KeepingConnection(Connection):
    """Keeps its statements prepared. asyncpg keeps them too, but its way to them takes longer."""

    __slots__ = ("_prepared",)

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._prepared: dict[str, PreparedStatement] = {}

    async def first(self, sql: str, arguments: Sequence[Any]) -> Row | None:
        if (statement := self._prepared.get(sql)) is None:
            statement = self._prepared[sql] = await self.prepare(sql, timeout=PATIENCE)
        try:
            return await statement.fetchrow(*arguments, timeout=PATIENCE)
        except asyncpg.InvalidCachedStatementError:  # the schema has changed, and the statement has not run
            del self._prepared[sql]
            return await super().first(sql, arguments)


def note_unconfirmed(connection: Any, message: asyncpg.PostgresLogMessage) -> None:
    """Note a warning that a commit was not confirmed. Called before the caller of the statement resumes."""
    if message.sqlstate in _UNCONFIRMED:
        connection.is_unconfirmed = True


async def decode_json(connection: asyncpg.Connection) -> None:
    """Let statements of the connection take and return the values of jsonb, not their text."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
    )


async def connect(url: str, *, is_pooled: bool) -> Connection:
    """Connect to a server that accepts writes.

    *is_pooled*: a transaction-mode pooler stands between. It refuses start-up parameters, so the role must
    have the timeouts (`ALTER ROLE … SET`). Raises OSError, TimeoutError, asyncpg.PostgresError and
    asyncpg.InternalClientError.
    """
    connection: Connection = await asyncpg.connect(
        url,
        **WRITABLE,
        **named_by(url),
        timeout=CONNECT_TIMEOUT,
        statement_cache_size=0 if is_pooled else 200,
        connection_class=Connection if is_pooled else KeepingConnection,
        server_settings=None if is_pooled else {name: str(value) for name, value in SERVER_TIMEOUTS.items()},
    )
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await decode_json(connection)
    except BaseException:
        connection.terminate()
        raise
    connection.add_log_listener(note_unconfirmed)
    return connection
