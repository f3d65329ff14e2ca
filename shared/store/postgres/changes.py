"""The change counter: a row that every change of a client or a key increments, and the names of the changes.

The counter's row is locked until the change commits, so a process that has seen a value has seen every change
up to it.
"""

import time

from shared.store import Change, Unavailable
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.server_state import STATE_COLUMNS, timeout_fault

KEYS = "keys"
RESOURCES = "resources"
CLIENT = "client:"

BUMP = """
bumped AS (UPDATE change_counter SET value = value + 1 RETURNING value),
noted AS (INSERT INTO changes (name, value) SELECT {name}, value FROM bumped
          ON CONFLICT (name) DO UPDATE SET value = excluded.value)"""
"""Two members of a WITH clause, which increment the counter for the SQL expression `name`."""

_SINCE = f"""
SELECT value, ARRAY(SELECT name FROM changes WHERE value > $1) AS names, clock_timestamp() AS at,
       {STATE_COLUMNS}
  FROM change_counter"""


class PostgresChanges:
    """`Changes` over PostgreSQL: one round trip, which also reads the state of the server.

    If the connections of a process lead to a demoted server, the process is not ready and does not trust its
    caches for longer than usual.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_read_only = False
        self._timeout_fault: str | None = None

    def writable_fault(self) -> str | None:
        """For readiness: a message if the server was read-only at the last poll."""
        return "the server is read-only" if self._is_read_only else None

    def timeout_fault(self) -> str | None:
        """For readiness: the timeouts that the server lacked at the last poll."""
        return self._timeout_fault

    async def since(self, counter: int) -> Change:
        if not self._database.clock.is_measured:
            await self._database.measure_clock()
        sent_at = time.monotonic()
        row = await self._database.row(_SINCE, counter)
        assert row is not None
        self._database.clock.measured(sent_at, row["at"])
        self._is_read_only = row["is_read_only"]
        self._timeout_fault = timeout_fault(row)
        if self._is_read_only:
            self._database.leave_server()
            raise Unavailable("PostgreSQL: the server is read-only")
        return Change(
            row["value"],
            tuple(name.removeprefix(CLIENT) for name in row["names"] if name.startswith(CLIENT)),
            KEYS in row["names"],
            RESOURCES in row["names"],
        )
