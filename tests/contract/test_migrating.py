"""Migrations beside running services: locks, indexes that are built concurrently, and batches."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.store import migrate as module
from shared.store.migrate import Migration, MigrationError, migrate
from tests.planted import planted
from tests.planted.postgres import asks_once_for_locks, keeps_what_is_half_made, waits_inside_the_server

INDEX = Migration(
    "9000_index", "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_test ON audit (event)"
)
EXPAND = Migration("9001_expand", "ALTER TABLE audit ADD COLUMN copy text")
BATCHES = Migration(
    "9002_copy",
    """-- in batches
UPDATE audit SET copy = event
 WHERE audit_id IN (SELECT audit_id FROM audit WHERE copy IS DISTINCT FROM event LIMIT 2)""",
)
_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_test'::regclass"
_WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
async def operator(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside the migration's."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


def _add(monkeypatch: pytest.MonkeyPatch, *added: Migration) -> None:
    """Migrations after those of this version."""
    every = (*module.migrations(), *added)
    monkeypatch.setattr(module, "migrations", lambda: every)
    monkeypatch.setattr(module, "LOCK_PAUSE", 0.01)


async def _until_one_waits(operator: asyncpg.Connection) -> None:
    async with asyncio.timeout(60):
        while not await operator.fetchval(_WAITS):
            await operator.execute("SELECT pg_stat_clear_snapshot()")


@planted(asks_once_for_locks)
async def test_a_migration_asks_again_for_a_lock(
    database_url: str, operator: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that holds the table delays the migration, which lets requests pass between its tries."""
    _add(monkeypatch, EXPAND)
    tried = asyncio.Event()
    sleep = asyncio.sleep

    async def paused(seconds: float) -> None:
        tried.set()
        await sleep(seconds)

    monkeypatch.setattr("shared.store.migrate.asyncio.sleep", paused)
    async with operator.transaction():
        await operator.execute("LOCK TABLE audit")
        migration = asyncio.create_task(migrate(database_url))
        first = asyncio.create_task(tried.wait())
        await asyncio.wait((migration, first), return_when=asyncio.FIRST_COMPLETED)
        first.cancel()
    assert await migration == [EXPAND.name]


async def test_a_migration_gives_up_at_last(
    database_url: str, operator: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says why, and the next call goes on."""
    _add(monkeypatch, EXPAND)
    monkeypatch.setattr(module, "LOCK_TRIES", 1)
    async with operator.transaction():
        await operator.execute("LOCK TABLE audit")
        with pytest.raises(MigrationError, match="9001_expand"):
            await migrate(database_url)
    assert await migrate(database_url) == [EXPAND.name]


@planted(keeps_what_is_half_made)
async def test_an_index_that_was_left_half_made_is_built_anew(
    database_url: str, operator: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration that is killed while it builds an index leaves an invalid one of that name."""
    _add(monkeypatch, INDEX)
    other = await asyncpg.connect(database_url)
    async with other.transaction(isolation="repeatable_read"):
        await other.fetch("SELECT FROM audit")
        migration = asyncio.create_task(migrate(database_url))
        await _until_one_waits(operator)
        await operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%CREATE INDEX CONC%'"
            " AND pid <> pg_backend_pid()"
        )
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await migration
    await other.close()
    assert await operator.fetchval(_IS_VALID) is False
    assert await migrate(database_url) == [INDEX.name]
    assert await operator.fetchval(_IS_VALID) is True


@planted(waits_inside_the_server)
async def test_an_index_does_not_wait_for_the_next_migration(
    database_url: str, operator: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second call waits for its turn without a statement that the index would have to wait for."""
    _add(monkeypatch, INDEX)
    monkeypatch.setattr(module, "LOCK_TRIES", 2)
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("INSERT INTO audit (event) VALUES ('written')")
        first = asyncio.create_task(migrate(database_url))
        await _until_one_waits(operator)
        second = asyncio.create_task(migrate(database_url))
        await asyncio.wait((second,), timeout=1.0)  # it has asked for its turn by then, or asks later
    await other.close()
    assert [await first, await second] == [[INDEX.name], []]


async def test_a_backfill_changes_every_row_in_batches(
    database_url: str, operator: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch is a transaction of its own; what one left is changed by the next."""
    await operator.execute("INSERT INTO audit (event) SELECT 'e' || n FROM generate_series(1, 5) n")
    _add(monkeypatch, EXPAND, BATCHES)
    assert await migrate(database_url) == [EXPAND.name, BATCHES.name]
    assert await operator.fetchval("SELECT count(*) FROM audit WHERE copy = event") == 5
    assert await operator.fetchval("SELECT count(DISTINCT xmin::text) FROM audit") == 3
