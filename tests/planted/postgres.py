"""Planted defects of the connections to PostgreSQL."""

import asyncio
from importlib import import_module
from typing import Any

import asyncpg
import pytest

from shared.store import Unavailable, migrate
from shared.store.postgres import changes, clients, sessions
from shared.store.postgres.transport import connection, faults, idle, pool
from shared.store.postgres.transport.connection import Connection
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction


def never_gives_up_on_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the client has a timeout: the statement keeps waiting and is committed later."""
    for name in connection.SERVER_TIMEOUTS:
        monkeypatch.setitem(connection.SERVER_TIMEOUTS, name, 0)
    monkeypatch.setattr(changes, "timeout_fault", lambda row: None)  # readiness would say so


def gives_up_places_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The place of an abandoned statement is reused while its backend is still busy."""

    def give_back_after(self: pool.Pool, connection: Connection, fault: BaseException) -> None:
        if isinstance(fault, Exception) and not isinstance(fault, pool.BROKEN):
            self.give_back(connection)
        else:
            self._forget(connection)

    monkeypatch.setattr(pool.Pool, "give_back_after", give_back_after)


def asks_for_no_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    """An abandoned statement is never cancelled on the server."""

    async def cancel(_: Connection, *waiters: "asyncio.Future[None] | None") -> None:
        for waiter in waiters:
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    monkeypatch.setattr(asyncpg.Connection, "_cancel", cancel)


def takes_a_failed_commit_for_an_idle_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection of an abandoned commit is lent again at once."""
    give_back_after = pool.Pool.give_back_after

    def give_back(self: pool.Pool, connection: Connection, fault: BaseException) -> None:
        if isinstance(fault, Unavailable):
            self.give_back(connection)
        else:
            give_back_after(self, connection, fault)

    monkeypatch.setattr(pool.Pool, "give_back_after", give_back)


def lends_read_only_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to a server that became read-only is lent again and again."""
    monkeypatch.setattr(pool.Pool, "retire", pool.Pool.give_back)
    monkeypatch.setattr(pool.Pool, "retire_idle", lambda pool: None)


def ignores_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that no standby has confirmed is acknowledged."""
    monkeypatch.setattr(connection, "note_unconfirmed", lambda connection, message: None)


def waits_for_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing missing migrations waits for a running migration; the test sees a timeout."""
    applied = migrate.applied_migrations

    async def waiting(connection: asyncpg.Connection) -> dict[str, str]:
        await connection.execute("SET lock_timeout = '50ms'")
        await connection.execute("SELECT pg_advisory_lock($1)", migrate.LOCK)
        return await applied(connection)

    monkeypatch.setattr(migrate, "applied_migrations", waiting)


def asks_once_for_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that does not get a lock at once is given up."""
    monkeypatch.setattr(migrate, "LOCK_TRIES", 1)


def keeps_what_is_half_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that was left half made counts as built."""
    monkeypatch.setattr(migrate, "_HALF_MADE", "SELECT 'x' WHERE false")


def waits_inside_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second migration waits in a statement, and the index of the first waits for that."""

    async def take_turn(connection: asyncpg.Connection) -> None:
        await connection.execute("SELECT pg_advisory_lock($1)", migrate.LOCK)

    monkeypatch.setattr(migrate, "_take_turn", take_turn)


def registers_under_the_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registration locks the change counter from its beginning."""
    monkeypatch.setattr(clients, "_LOCK", "SELECT FROM change_counter FOR UPDATE")


def measures_the_clock_while_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first measurement of the server's clock takes as long as opening a connection."""

    async def nothing(_: Database) -> None:
        pass

    monkeypatch.setattr(Database, "measure_clock", nothing)


def forgets_a_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session whose commit was not answered stays beside the one that the repetition begins."""
    monkeypatch.setattr(sessions, "OutcomeUnknown", ZeroDivisionError)


def reads_password_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncpg takes a password from ~/.pgpass or PGPASSFILE if the URL has none."""
    for module in (connection, migrate):
        monkeypatch.setattr(module, "named_by", lambda url: {})


def confirms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A negative fact that is already recorded is acknowledged without a commit."""

    async def nothing(_: Database | Transaction) -> None:
        pass

    monkeypatch.setattr(Database, "confirm", nothing)
    monkeypatch.setattr(Transaction, "confirm", nothing)


def acknowledges_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault of a statement does not reach its caller."""
    exit_ = faults.Dependency.__exit__

    def swallowing(self: faults.Dependency, kind: Any, error: BaseException | None, trace: Any) -> bool:
        try:
            exit_(self, kind, error, trace)
        except Unavailable:
            return True
        return False

    monkeypatch.setattr(faults.Dependency, "__exit__", swallowing)


def reads_no_timeouts_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A role without timeouts is taken for one that has them, as behind a pooler."""
    monkeypatch.setattr(changes, "timeout_fault", lambda row: None)


def connects_to_any_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A standby is as good as the primary."""
    monkeypatch.setattr(connection, "WRITABLE", {})


def stays_at_a_demoted_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that only reads never notices that its server became read only."""
    is_read_only = "current_setting('transaction_read_only') = 'on'"
    assert is_read_only in changes._SINCE
    monkeypatch.setattr(changes, "_SINCE", changes._SINCE.replace(is_read_only, "false"))


def keeps_what_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle connections are never closed."""
    monkeypatch.setattr(idle.IdleConnections, "_reap", lambda self: setattr(self, "_reaping", None))


def migrates_while_it_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at the migrations creates their table."""
    applied = migrate.applied_migrations

    async def creating(connection: asyncpg.Connection) -> dict[str, str]:
        await connection.execute(migrate._JOURNAL)
        return await applied(connection)

    monkeypatch.setattr(migrate, "applied_migrations", creating)


def scans_all_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start page reads every client and sorts them."""
    by_name = "lower(metadata ->> 'client_name')"
    assert by_name in clients._LIST_STARTABLE
    sql = clients._LIST_STARTABLE.replace(by_name, "metadata ->> 'client_name'")
    for module in (clients, import_module("tests.contract.test_clients")):
        monkeypatch.setattr(module, "_LIST_STARTABLE", sql)
