"""The change counter: one row that every change of a client or a key raises, and what it was raised for.

The counter's row is locked until the change commits, so a process that has seen a value has seen every change
up to it.
"""

import time

from shared.store import Change
from shared.store.postgres.database import Database

KEYS = "keys"
CLIENT = "client:"

BUMP = """
bumped AS (UPDATE change_counter SET value = value + 1 RETURNING value),
noted AS (INSERT INTO changes (name, value) SELECT {name}, value FROM bumped
          ON CONFLICT (name) DO UPDATE SET value = excluded.value)"""
"""Two members of a WITH clause: raise the counter for the SQL expression `name`."""

_SINCE = """
SELECT value, ARRAY(SELECT name FROM changes WHERE value > $1) AS names, clock_timestamp() AS at
  FROM change_counter"""


class PostgresChanges:
    """`Changes` over PostgreSQL: one round trip."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, counter: int) -> Change:
        sent_at = time.monotonic()
        row = await self._database.row(_SINCE, counter)
        assert row is not None
        self._database.clock.measured(sent_at, row["at"])
        return Change(
            row["value"],
            tuple(name.removeprefix(CLIENT) for name in row["names"] if name.startswith(CLIENT)),
            KEYS in row["names"],
        )
