"""Faults of the server: locks, hangs, and read-only servers."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import pytest

from shared.store import OutcomeUnknown, Unavailable
from shared.store.postgres.changes import PostgresChanges
from shared.store.postgres.transport import connection, idle, pool, waiting
from shared.store.postgres.transport.database import Database
from tests.planted import planted
from tests.planted.postgres import (
    connects_to_any_server,
    gives_up_places_at_once,
    ignores_warnings,
    keeps_what_is_idle,
    lends_read_only_connections,
    measures_the_clock_while_connecting,
    never_gives_up_on_the_server,
    reads_no_timeouts_back,
    stays_at_a_demoted_server,
    takes_a_failed_commit_for_an_idle_connection,
)

_PID = "SELECT pg_backend_pid() AS pid"
_NOTE = "INSERT INTO audit (event) VALUES ($1)"
_BACKENDS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
   AND ($1::text IS NULL OR state = $1)"""
SIZE = 4


@asynccontextmanager
async def _database(url: str, size: int = SIZE) -> AsyncIterator[Database]:
    database = Database.open(url, size=size)
    try:
        yield database
    finally:
        database.close()


@asynccontextmanager
async def _observer(url: str) -> AsyncIterator[asyncpg.Connection]:
    observer = await asyncpg.connect(url)
    try:
        yield observer
    finally:
        await observer.close()


async def _backends(observer: asyncpg.Connection, state: str | None = None) -> int:
    """The number of backends of the database, without the observer's."""
    await observer.execute("SELECT pg_stat_clear_snapshot()")  # which a transaction would keep
    return int(await observer.fetchval(_BACKENDS, state))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def _fault(database: Database, sql: str, *arguments: object) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        await database.row(sql, *arguments)
    return caught.value


async def _noted(observer: asyncpg.Connection, event: str) -> int:
    return int(await observer.fetchval("SELECT count(*) FROM audit WHERE event = $1", event))


@planted(never_gives_up_on_the_server)
async def test_a_statement_that_waits_for_a_lock_is_never_done_later(database_url: str) -> None:
    """A statement that waits for a lock fails, and does nothing when the lock is released."""
    async with _database(database_url) as database, _observer(database_url) as observer:
        async with observer.transaction():
            await observer.execute("LOCK TABLE audit")
            fault = await _fault(database, _NOTE, "late")
            assert not isinstance(fault, OutcomeUnknown)
        await database.row(_NOTE, "in time")
        assert await _noted(observer, "late") == 0
        assert await _noted(observer, "in time") == 1


@planted(gives_up_places_at_once)
async def test_two_hundred_callers_behind_a_lock_open_no_backend_too_many(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that stops waiting leaves no backend behind, even without timeouts on the server."""
    monkeypatch.setattr(connection, "PATIENCE", 0.1)
    monkeypatch.setattr(waiting, "ACQUIRE_TIMEOUT", 5.0)
    for name in connection.SERVER_TIMEOUTS:
        monkeypatch.setitem(connection.SERVER_TIMEOUTS, name, 0)
    async with _database(database_url) as database, _observer(database_url) as observer:
        most = 0
        async with observer.transaction():
            await observer.execute("LOCK TABLE audit")
            callers = [asyncio.create_task(_fault(database, _NOTE, "behind")) for _ in range(200)]
            while not all(caller.done() for caller in callers):
                most = max(most, await _backends(observer))
                await asyncio.sleep(0.01)
            await asyncio.gather(*callers)
        assert most <= SIZE
        await _until(lambda: not database.statistics().recovering)
        assert await _backends(observer, "active") == 0
        assert await _noted(observer, "behind") == 0


@planted(gives_up_places_at_once)
async def test_a_halted_backend_keeps_its_place_until_it_answers(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome of a statement at a halted server is unknown. Its connection is kept and serves again."""
    async with _database(database_url, size=1) as database, _observer(database_url) as observer:
        row = await database.row(_PID)
        assert row is not None
        monkeypatch.setattr(connection, "PATIENCE", 0.1)
        monkeypatch.setattr(waiting, "ACQUIRE_TIMEOUT", 0.1)
        os.kill(row["pid"], signal.SIGSTOP)
        try:
            assert isinstance(await _fault(database, _NOTE, "halted"), OutcomeUnknown)
            for _ in range(5):
                assert not isinstance(await _fault(database, _NOTE, "meanwhile"), OutcomeUnknown)
            assert await _backends(observer) == 1
            assert database.statistics().recovering == 1
        finally:
            os.kill(row["pid"], signal.SIGCONT)
        await _until(lambda: database.statistics().idle == 1)
        monkeypatch.setattr(connection, "PATIENCE", 60.0)
        assert await database.row(_PID) == row


async def test_a_server_that_stays_silent_is_lost(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place of a connection to a vanished host is reused in the end."""
    monkeypatch.setattr(pool, "LOST_AFTER", 0.1)
    async with _database(database_url, size=1) as database:
        row = await database.row(_PID)
        assert row is not None
        monkeypatch.setattr(connection, "PATIENCE", 0.1)
        os.kill(row["pid"], signal.SIGSTOP)
        try:
            await _fault(database, _NOTE, "halted")
            monkeypatch.setattr(connection, "PATIENCE", 60.0)
            await _until(lambda: not database.statistics().recovering)
            assert await database.row(_PID) != row
        finally:
            os.kill(row["pid"], signal.SIGCONT)


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a cancelled statement the outcome is known, and the connection serves the next caller."""
    monkeypatch.setitem(connection.SERVER_TIMEOUTS, "statement_timeout", 50)
    monkeypatch.setattr(connection, "PATIENCE", 60.0)
    async with _database(database_url, size=1) as database:
        row = await database.row(_PID)
        fault = await _fault(database, "SELECT pg_sleep(100)")
        assert not isinstance(fault, OutcomeUnknown)
        assert await database.row(_PID) == row


_RAISE = "UPDATE change_counter SET value = value + 1 RETURNING value"


async def _raised(database: Database) -> int:
    """Increment the counter when its row is not locked."""
    for _ in range(5):
        try:
            row = await database.row(_RAISE)
        except Unavailable:
            continue
        assert row is not None
        return int(row["value"])
    pytest.fail("the counter's row stays locked")


async def _raise_and_halt(database: Database, meanwhile: Callable[[], Awaitable[int]]) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(_RAISE)
        await meanwhile()


@planted(never_gives_up_on_the_server)
async def test_a_transaction_whose_process_is_halted_holds_no_lock_for_long(database_url: str) -> None:
    """The server ends an idle transaction, others continue, and nothing of it is committed."""
    async with _database(database_url) as database, _database(database_url) as other:
        before = await _raised(other)
        with pytest.raises(Unavailable):
            await _raise_and_halt(database, partial(_raised, other))
        assert await _raised(other) == before + 2


@planted(lends_read_only_connections)
async def test_a_connection_to_a_read_only_server_is_lent_once(database_url: str) -> None:
    """After an error 25006, the connection and all idle ones are closed."""
    async with _database(database_url) as database:
        await database.row("SET default_transaction_read_only = on")
        fault = await _fault(database, _NOTE, "refused")
        assert not isinstance(fault, OutcomeUnknown)
        await database.row(_NOTE, "accepted")


@planted(connects_to_any_server)
async def test_no_connection_is_made_to_a_read_only_server(database_url: str) -> None:
    """A standby or a demoted primary is Unavailable, also for reading."""
    async with _database(database_url) as database, _observer(database_url) as observer:
        name = await observer.fetchval("SELECT current_database()")
        await observer.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await _fault(database, _PID)
        await observer.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        assert await database.row(_PID)


@planted(stays_at_a_demoted_server)
async def test_the_poll_for_changes_demands_a_writable_server(database_url: str) -> None:
    """A process that only reads notices a demotion, is not ready, and reconnects."""
    async with _database(database_url) as database:
        changes = PostgresChanges(database)
        await changes.since(0)
        assert changes.writable_fault() is None
        await database.row("SET default_transaction_read_only = on")
        with pytest.raises(Unavailable):
            await changes.since(0)
        assert changes.writable_fault()
        await changes.since(0)
        assert changes.writable_fault() is None


@planted(measures_the_clock_while_connecting)
async def test_the_servers_clock_is_measured_over_an_open_connection(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow connect does not distort the server's clock, or no two requests would overlap."""
    connected_at = 0.0

    async def connect(url: str, *, is_pooled: bool) -> connection.Connection:
        nonlocal connected_at
        await asyncio.sleep(1)  # how long it takes, and no wait for anything
        opened = await connection.connect(url, is_pooled=is_pooled)
        connected_at = time.monotonic()
        return opened

    monkeypatch.setattr("shared.store.postgres.transport.database.connect", connect)
    async with _database(database_url) as database, _observer(database_url) as observer:
        await PostgresChanges(database).since(0)
        assert (told := database.clock.at(connected_at))
        assert told <= await observer.fetchval("SELECT clock_timestamp()")


@planted(reads_no_timeouts_back)
@pytest.mark.parametrize("name", connection.SERVER_TIMEOUTS)
async def test_a_role_without_a_timeout_is_named(
    database_url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Behind a pooler, which drops start-up parameters, missing timeouts are reported."""
    monkeypatch.setitem(connection.SERVER_TIMEOUTS, name, 0)
    async with _database(database_url) as database:
        changes = PostgresChanges(database)
        await changes.since(0)
        assert name in (changes.timeout_fault() or "")
        monkeypatch.undo()
    async with _database(database_url) as database:
        changes = PostgresChanges(database)
        await changes.since(0)
        assert changes.timeout_fault() is None


@planted(keeps_what_is_idle)
async def test_idle_connections_are_closed_after_a_while(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An idle process closes its connections."""
    monkeypatch.setattr(idle, "IDLE_LIFETIME", 0.05)
    async with _database(database_url) as database, _observer(database_url) as observer:
        await asyncio.gather(*(database.row("SELECT pg_sleep(0.01)") for _ in range(SIZE)))
        await _until(lambda: not database._pool._idle.is_watched)
        await _until(lambda: database.statistics().recovering == 0)
        assert database.statistics().idle == 0
        assert await _backends(observer) == 0


async def test_a_connection_is_replaced_at_the_end_of_its_life(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections have a maximum age, so that a pool moves to a new server even without faults."""
    monkeypatch.setattr(connection, "LIFETIME", 0.0)
    async with _database(database_url, size=1) as database:
        assert await database.row(_PID) != await database.row(_PID)


_WARN = """
CREATE FUNCTION unconfirmed() RETURNS int LANGUAGE plpgsql AS $$
BEGIN RAISE WARNING 'canceling wait for synchronous replication due to user request'; RETURN 1; END $$"""


async def _by_row(database: Database) -> None:
    await database.row("SELECT unconfirmed()")


async def _by_rows(database: Database) -> None:
    await database.rows("SELECT unconfirmed()")


async def _by_transaction(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute("SELECT unconfirmed()")


@planted(ignores_warnings)
@pytest.mark.parametrize("run", [_by_row, _by_rows, _by_transaction])
async def test_a_success_with_the_warning_of_a_lost_standby_has_an_unknown_outcome(
    database_url: str, run: Callable[[Database], Awaitable[None]]
) -> None:
    """A cancelled wait for the standby reports success with a warning 01000: the outcome is unknown."""
    async with _database(database_url, size=1) as database:
        await database.row(_WARN)
        before = await database.row(_PID)
        with pytest.raises(OutcomeUnknown):
            await run(database)
        assert await database.row(_PID) == before


@planted(takes_a_failed_commit_for_an_idle_connection)
async def test_a_connection_whose_answer_was_given_up_recovers_first(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome is unknown, and the place stays taken."""
    monkeypatch.setattr("shared.store.postgres.transport.database.PATIENCE", 0.1)
    async with _database(database_url, size=1) as database:
        await database.row(_PID)
        with pytest.raises(OutcomeUnknown):
            await database.rows("SELECT pg_sleep(1)")
        assert database.statistics().given_up == 1
