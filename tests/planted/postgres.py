"""Planted defects of the connections to PostgreSQL."""

import pytest

from shared.store.postgres import connection, pool
from shared.store.postgres.connection import Connection


def never_gives_up_on_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the client has a timeout: the statement waits on and is committed later."""
    for name in connection.SERVER_TIMEOUTS:
        monkeypatch.setitem(connection.SERVER_TIMEOUTS, name, 0)


def gives_up_places_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The place of a statement that was given up is used again while its backend is still busy."""

    def give_back_after(self: pool.Pool, connection: Connection, fault: BaseException) -> None:
        if isinstance(fault, Exception) and not isinstance(fault, pool.BROKEN):
            self.give_back(connection)
        else:
            self._forget(connection)

    monkeypatch.setattr(pool.Pool, "give_back_after", give_back_after)


def lends_read_only_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to a server that became read only is lent first for ever."""
    monkeypatch.setattr(pool.Pool, "retire", pool.Pool.give_back)


def ignores_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that no standby has confirmed is acknowledged."""
    monkeypatch.setattr(connection, "note_unconfirmed", lambda connection, message: None)
