"""Migrations on a real PostgreSQL."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from shared.store.migrate import Migration, MigrationError, migrate, migrations, missing


@pytest.fixture
async def empty_url(database_url: str) -> str:
    """A database without a table."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    return database_url


async def test_of_many_that_migrate_at_once_one_does(empty_url: str) -> None:
    """Replicas that start together find one migrated database."""
    applied = await asyncio.gather(*(migrate(empty_url) for _ in range(5)))
    assert sorted(applied, key=len)[-1] == [migration.name for migration in migrations()]
    assert sum(map(len, applied)) == len(migrations())


async def test_a_dry_run_names_what_is_missing_and_changes_nothing(empty_url: str) -> None:
    """`ostiary migrate --check`."""
    names = [migration.name for migration in migrations()]
    assert await migrate(empty_url, is_dry=True) == names
    assert await migrate(empty_url, is_dry=True) == names
    assert await migrate(empty_url) == names
    assert await migrate(empty_url, is_dry=True) == []


def test_a_file_that_changed_after_it_was_applied_is_refused() -> None:
    """What a database has seen must not be rewritten."""
    migration = Migration("0001_first", "SELECT 1")
    assert missing({}, (migration,)) == (migration,)
    assert missing({migration.name: migration.checksum}, (migration,)) == ()
    with pytest.raises(MigrationError, match="0001_first"):
        missing({migration.name: "another"}, (migration,))


def test_migrations_are_numbered_in_one_row(tmp_path: Path) -> None:
    """No two share a number; one may be missing while its branch is on its way."""
    numbers = [int(migration.name[:4]) for migration in migrations()]
    assert numbers == sorted(set(numbers))
    assert migrations(tmp_path) == ()
