"""Migrations on a real PostgreSQL."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from shared.store.migrate import LOCK, Migration, MigrationError, migrate, migrations, missing, pending
from tests.planted import planted
from tests.planted.postgres import migrates_while_it_looks, waits_for_the_lock


@pytest.fixture
async def empty_url(database_url: str) -> str:
    """An empty database."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    return database_url


async def test_of_many_that_migrate_at_once_one_does(empty_url: str) -> None:
    """Of concurrent migrations, one runs."""
    applied = await asyncio.gather(*(migrate(empty_url) for _ in range(5)))
    assert sorted(applied, key=len)[-1] == [migration.name for migration in migrations()]
    assert sum(map(len, applied)) == len(migrations())


@planted(migrates_while_it_looks)
async def test_a_dry_run_names_what_is_missing_and_changes_nothing(empty_url: str) -> None:
    """`ostiary migrate --check`."""
    names = [migration.name for migration in migrations()]
    assert await pending(empty_url) == names
    assert await pending(empty_url) == names
    connection = await asyncpg.connect(empty_url)
    assert await connection.fetchval("SELECT to_regclass('schema_migrations')") is None
    await connection.close()
    assert await migrate(empty_url) == names
    assert await pending(empty_url) == []


@planted(waits_for_the_lock)
async def test_a_dry_run_waits_for_nobody(database_url: str) -> None:
    """Listing missing migrations does not wait for a running migration."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        async with asyncio.timeout(60):
            assert await pending(database_url) == []
    finally:
        await connection.close()


def test_a_file_that_changed_after_it_was_applied_is_refused() -> None:
    """An applied migration must not be changed."""
    migration = Migration("0001_first", "SELECT 1")
    assert missing({}, (migration,)) == (migration,)
    assert missing({migration.name: migration.checksum}, (migration,)) == ()
    with pytest.raises(MigrationError, match="0001_first"):
        missing({migration.name: "another"}, (migration,))


def test_migrations_are_numbered_in_their_order(tmp_path: Path) -> None:
    """Migrations are numbered from one, in ascending order without duplicates. Gaps are allowed."""
    numbers = [int(migration.name[:4]) for migration in migrations()]
    assert numbers[0] == 1
    assert numbers == sorted(set(numbers))
    assert migrations(tmp_path) == ()


RELEASED = 4
"""The migrations that the first release has."""


async def test_a_database_of_the_first_release_migrates_on(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Existing clients and users survive the migrations."""
    released, later = migrations()[:RELEASED], [migration.name for migration in migrations()[RELEASED:]]
    with monkeypatch.context() as patched:
        patched.setattr("shared.store.migrate.migrations", lambda: released)
        assert await migrate(empty_url) == [migration.name for migration in released]
    connection = await asyncpg.connect(empty_url)
    try:
        await connection.execute("INSERT INTO clients (client_id, metadata) VALUES ('wiki', '{}')")
        await connection.execute(
            "INSERT INTO users (user_id, username, username_key) VALUES (gen_random_uuid(), 'ada', 'ada')"
        )
        assert await migrate(empty_url) == later
        assert await connection.fetchval("SELECT epoch FROM clients") == 0
        assert await connection.fetchval("SELECT count(*) FROM users") == 1
    finally:
        await connection.close()
