"""Connections to PostgreSQL: a limited number, waiting callers, and reuse after faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.store import OutcomeUnknown, Unavailable
from shared.store.postgres.transport.database import Database
from tests.fault_proxy import postgresql_proxy

_PID = "SELECT pg_backend_pid() AS pid"
_SLEEP = "SELECT pg_backend_pid() AS pid, pg_sleep(0.01)"


@asynccontextmanager
async def _database(url: str, size: int = 2) -> AsyncIterator[Database]:
    opened = Database.open(url, size=size)
    try:
        yield opened
    finally:
        opened.close()


async def _pid(database: Database, sql: str = _PID) -> int:
    row = await database.row(sql)
    assert row is not None
    return int(row["pid"])


async def test_one_after_another_they_use_one_connection(database_url: str) -> None:
    """The connection used last is reused first, as its statements are prepared."""
    async with _database(database_url) as database:
        assert len({await _pid(database) for _ in range(10)}) == 1


async def test_a_table_may_change_under_a_statement_that_is_kept(database_url: str) -> None:
    """Statements of running processes do not fail during a migration."""
    async with _database(database_url) as database, _database(database_url) as other:
        await other.row("CREATE TABLE changing (one int)")
        await other.row("INSERT INTO changing VALUES (1)")
        rows = []
        for change in ("two", "three"):
            rows.append(await database.row("SELECT * FROM changing"))
            await other.row(f"ALTER TABLE changing ADD {change} int")
        rows += [await database.row("SELECT * FROM changing") for _ in range(2)]
        assert [len(row or ()) for row in rows] == [1, 2, 3, 3]
        assert await _pid(database)


async def test_more_callers_than_connections_wait_for_one(database_url: str) -> None:
    """Under load, every caller is served, and the number of connections is limited."""
    async with _database(database_url) as database:
        pids = await asyncio.gather(*(_pid(database, _SLEEP) for _ in range(20)))
        assert len(set(pids)) == 2


async def test_one_who_waits_too_long_is_told_so(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that waits too long gets Unavailable."""
    monkeypatch.setattr("shared.store.postgres.transport.waiting.ACQUIRE_TIMEOUT", 0.05)
    async with _database(database_url, size=1) as database:
        async with database.transaction():
            with pytest.raises(Unavailable):
                await database.row(_PID)
        assert await _pid(database)


async def test_a_connection_that_died_idle_is_replaced_unseen(database_url: str) -> None:
    """A connection that the server has closed is not lent again."""
    async with _database(database_url) as database, _database(database_url) as other:
        pid = await _pid(database)
        await other.row("SELECT pg_terminate_backend($1)", pid)
        replaced: int | BaseException = pid
        while replaced == pid:
            (replaced,) = await asyncio.gather(_pid(database), return_exceptions=True)
        assert isinstance(replaced, int | Unavailable)
        assert await _pid(database) != pid


async def test_a_cancelled_statement_leaves_no_answer_behind(database_url: str) -> None:
    """The next caller of a connection gets its own answer, from the same backend."""
    async with _database(database_url, size=1) as database:
        pid = await _pid(database)
        cancelled = asyncio.create_task(database.row("SELECT 0 AS pid, pg_sleep(1)"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert await _pid(database) == pid


async def _note_and_fail(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO audit (event) VALUES ('never')")
        raise ZeroDivisionError


async def test_a_transaction_that_fails_leaves_nothing_behind(database_url: str) -> None:
    """After a fault in a transaction, the connection is returned without it."""
    async with _database(database_url, size=1) as database:
        with pytest.raises(ZeroDivisionError):
            await _note_and_fail(database)
        assert await database.row("SELECT FROM audit WHERE event = 'never'") is None


async def test_a_row_that_has_just_gone_is_no_defect(database_url: str) -> None:
    """A foreign key fault because of a concurrent deletion is Unavailable, and the next attempt is clear."""
    async with _database(database_url, size=1) as database:
        with pytest.raises(Unavailable):
            await database.row(
                "INSERT INTO credentials (user_id, password_hash) VALUES (gen_random_uuid(), '')"
            )


_NOTE = "INSERT INTO audit (event) VALUES ($1)"


async def test_a_statement_whose_answer_is_lost_has_an_unknown_outcome(
    database_url: str, tmp_path: Path
) -> None:
    """If the answer to a commit is lost, the outcome is unknown."""
    async with (
        postgresql_proxy(database_url, tmp_path) as (proxy, url),
        _database(url) as database,
        _database(database_url) as other,
    ):
        await database.row(_NOTE, "prepared")
        proxy.lose_answer_to(b"unheard")
        with pytest.raises(OutcomeUnknown):
            await database.row(_NOTE, "unheard")
        assert await other.rows("SELECT FROM audit WHERE event = 'unheard'")


async def test_a_server_that_cannot_be_reached_has_done_nothing(database_url: str, tmp_path: Path) -> None:
    """If a statement was never sent, the outcome is known."""
    async with postgresql_proxy(database_url, tmp_path) as (proxy, url), _database(url) as database:
        proxy.break_off()
        with pytest.raises(Unavailable) as fault:
            await database.row(_PID)
        assert not isinstance(fault.value, OutcomeUnknown)
