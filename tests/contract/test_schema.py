"""The schema of a database against the migrations: what `ostiary migrate verify` finds."""

import asyncpg
import pytest

from shared.store.schema import schema_faults
from tests.planted import planted
from tests.planted.schema import takes_any_index, takes_any_schema


async def _change(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_migrated_database_has_no_fault(database_url: str) -> None:
    """The comparison leaves nothing behind, and an operator's additions are not faults."""
    await _change(
        database_url, "CREATE TABLE of_an_operator (x int)", "CREATE INDEX of_theirs ON users (created_at)"
    )
    assert await schema_faults(database_url) == []
    connection = await asyncpg.connect(database_url)
    names = [row[0] for row in await connection.fetch("SELECT nspname FROM pg_namespace ORDER BY oid")]
    await connection.close()
    assert not [name for name in names if name.startswith("ostiary")]


@planted(takes_any_schema)
@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DROP TABLE outbox CASCADE", "table outbox is missing"),
        ("ALTER TABLE users DROP COLUMN disabled_at", "column users.disabled_at is missing"),
        (
            "ALTER TABLE audit ALTER COLUMN event TYPE varchar(9)",
            "column audit.event is 'character varying(9)",
        ),
        ("ALTER TABLE users ALTER COLUMN username DROP NOT NULL", "column users.username is 'text'"),
        ("DROP INDEX audit_by_time", "index audit_by_time is missing"),
        (
            "ALTER TABLE users DROP CONSTRAINT users_username_key_key",
            "constraint users.users_username_key_key",
        ),
        ("DROP SEQUENCE client_epochs CASCADE", "sequence client_epochs is missing"),
    ],
    ids=lambda text: text.split(" is ")[0],
)
async def test_what_differs_is_named(database_url: str, statement: str, fault: str) -> None:
    """Each kind of object that migrations create is compared."""
    await _change(database_url, statement)
    assert any(line.startswith(fault) for line in await schema_faults(database_url))


@planted(takes_any_index)
async def test_an_index_that_was_left_half_made_is_named(database_url: str) -> None:
    """A failed `CREATE INDEX CONCURRENTLY` leaves an index that slows writes and serves no query."""
    await _change(
        database_url,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'audit_by_time'::regclass",
    )
    faults = await schema_faults(database_url)
    await _change(database_url, "REINDEX INDEX audit_by_time")  # the database is used again
    assert any(line.startswith("index audit_by_time is not valid") for line in faults)
