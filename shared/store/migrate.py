"""Migrations: plain SQL, `NNNN_name.sql`, each applied once, in order, while services run.

They only expand the schema, so that the previous version works with it. The first line of a file says how it
is applied:

- usually in one transaction, with a step in Python at its end if AFTERWARDS has one. It waits half a second
  for a lock, because requests queue behind it, and is tried again;
- `-- no-transaction`: one CREATE INDEX CONCURRENTLY. An index that an earlier try left half made is dropped;
- `-- in batches`: one UPDATE of a limited number of rows, repeated until none is left. Each is a transaction
  of its own, so that locks are short, and an interrupted migration goes on where it was.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import asyncpg

from shared.process.operator_error import OperatorError
from shared.store.postgres.adopted_attributes import adopt_group_attributes, adopt_role_attributes
from shared.store.postgres.transport.connection import WRITABLE, named_by

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x6F737469617279  # an arbitrary number: "ostiary" in ASCII
CONNECT_TIMEOUT = 10  # seconds
UNLIMITED = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
TURN_TRIES, TURN_PAUSE = 600, 0.2  # seconds; another migration may take two minutes
LOCK_TRIES, LOCK_PAUSE = 60, 1.0  # seconds; so may whoever holds a table

_JOURNAL = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"""
_RECORD = "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)"
_HALF_MADE = """
SELECT quote_ident(relname) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
 WHERE NOT indisvalid AND relnamespace = 'public'::regnamespace"""


AFTERWARDS: Mapping[str, Callable[[asyncpg.Connection], Awaitable[None]]] = {
    "0013_groups": adopt_group_attributes,
    "0111_roles": adopt_role_attributes,
}
"""Steps in Python, by the name of the migration."""


class MigrationError(OperatorError):
    """The database was migrated with other files than these, or is locked."""


class MigrationMode(StrEnum):
    """How a migration is applied, by its first line."""

    IN_TRANSACTION = ""  # any other line
    NO_TRANSACTION = "-- no-transaction"
    IN_BATCHES = "-- in batches"

    @property
    def lock_timeout(self) -> str:
        """CREATE INDEX CONCURRENTLY waits for transactions, but nothing waits for it."""
        return "0" if self is MigrationMode.NO_TRANSACTION else "500ms"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def mode(self) -> MigrationMode:
        first = self.sql.partition("\n")[0]
        return MigrationMode(first) if first in {*MigrationMode} else MigrationMode.IN_TRANSACTION


def migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """The migrations, in order."""
    return tuple(Migration(path.stem, path.read_text("utf-8")) for path in sorted(folder.glob("[0-9]*.sql")))


def missing(applied: dict[str, str], all_migrations: tuple[Migration, ...]) -> tuple[Migration, ...]:
    """The migrations that are not applied. *applied*: checksums by name. Raises MigrationError."""
    for migration in all_migrations:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise MigrationError(f"migration {migration.name} was changed after it had been applied")
    return tuple(migration for migration in all_migrations if migration.name not in applied)


async def applied_migrations(connection: asyncpg.Connection) -> dict[str, str]:
    """The checksum of each migration that was applied; none in a database without a journal."""
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return {}
    rows = await connection.fetch("SELECT name, checksum FROM schema_migrations")
    return {row["name"]: row["checksum"] for row in rows}


async def pending(url: str) -> list[str]:
    """The names of the missing migrations. Changes nothing, and does not wait for a running migration.

    Raises MigrationError, OSError, asyncpg.PostgresError.
    """
    connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT, **named_by(url))
    try:
        return [migration.name for migration in missing(await applied_migrations(connection), migrations())]
    finally:
        await connection.close()


async def migrate(url: str) -> list[str]:
    """Migrate the database to this version. Returns the names of the applied migrations.

    Needs a direct connection, not a transaction-mode pooler. It holds a session lock: of several concurrent
    calls, one migrates and the others find nothing to do. Its timeouts replace those of the role. Raises
    MigrationError, OSError, asyncpg.PostgresError.
    """
    connection = await asyncpg.connect(
        url, timeout=CONNECT_TIMEOUT, server_settings=UNLIMITED, **WRITABLE, **named_by(url)
    )
    try:
        await _take_turn(connection)
        await connection.execute(_JOURNAL)
        applied = []
        for migration in missing(await applied_migrations(connection), migrations()):
            await _apply_patiently(connection, migration)
            applied.append(migration.name)
        return applied
    finally:
        await connection.close()


async def _take_turn(connection: asyncpg.Connection) -> None:
    """Take the lock of the migrations.

    It is asked for again and again: CREATE INDEX CONCURRENTLY waits for every statement that began before it,
    so that it and a migration that waits inside the server would wait for each other.
    """
    for _ in range(TURN_TRIES):
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
            return
        await asyncio.sleep(TURN_PAUSE)
    raise MigrationError("another migration is running")


async def _apply_patiently(connection: asyncpg.Connection, migration: Migration) -> None:
    await connection.execute(f"SET lock_timeout = '{migration.mode.lock_timeout}'")
    for _ in range(LOCK_TRIES):
        try:
            await _apply(connection, migration)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(LOCK_PAUSE)
        else:
            return
    raise MigrationError(
        f"migration {migration.name} did not get its locks, because a long transaction holds them"
        " (see pg_locks): run the command again"
    )


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    match migration.mode:
        case MigrationMode.IN_TRANSACTION:
            async with connection.transaction():
                await connection.execute(migration.sql)
                if step := AFTERWARDS.get(migration.name):
                    await step(connection)
                await connection.execute(_RECORD, migration.name, migration.checksum)
            return
        case MigrationMode.NO_TRANSACTION:
            for (index,) in await connection.fetch(_HALF_MADE):
                if index in migration.sql:
                    await connection.execute(f"DROP INDEX CONCURRENTLY {index}")
            await connection.execute(migration.sql)
        case MigrationMode.IN_BATCHES:
            while await connection.execute(migration.sql) != "UPDATE 0":
                pass
    await connection.execute(_RECORD, migration.name, migration.checksum)
