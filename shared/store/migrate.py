"""Migrations: plain SQL, `NNNN_name.sql`, each applied once, in order, in its own transaction.

Where SQL is not enough, a step in Python follows in the same transaction (AFTERWARDS).
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from shared.store.postgres.group_attributes import adopt_group_attributes
from shared.store.postgres.transport.connection import WRITABLE, named_by

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x6F737469617279  # an arbitrary number: "ostiary" in ASCII
LOCK_TIMEOUT = "120s"
CONNECT_TIMEOUT = 10  # seconds
UNLIMITED = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}

_JOURNAL = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"""
_RECORD = "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)"


AFTERWARDS: Mapping[str, Callable[[asyncpg.Connection], Awaitable[None]]] = {
    "0013_groups": adopt_group_attributes,
}
"""Steps in Python, by the name of the migration."""


class MigrationError(Exception):
    """The database was migrated with other files than these."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def is_in_transaction(self) -> bool:
        """False for CREATE INDEX CONCURRENTLY: such a file has one statement."""
        return not self.sql.startswith("-- no-transaction")


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
        await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute("SET lock_timeout = '500ms'")  # a migration never makes others wait longer
        await connection.execute(_JOURNAL)
        applied = []
        for migration in missing(await applied_migrations(connection), migrations()):
            if migration.is_in_transaction:
                async with connection.transaction():
                    await connection.execute(migration.sql)
                    if step := AFTERWARDS.get(migration.name):
                        await step(connection)
                    await connection.execute(_RECORD, migration.name, migration.checksum)
            else:
                await connection.execute(migration.sql)
                await connection.execute(_RECORD, migration.name, migration.checksum)
            applied.append(migration.name)
        return applied
    finally:
        await connection.close()
