"""Outages of PostgreSQL, recorded in PostgreSQL. They extend the reuse window of refresh tokens.

A time in which no worker runs looks like an outage, and extends the window too. This fails open, by
MAX_OUTAGE at most.
"""

import time
from datetime import datetime

from shared.store import MAX_OUTAGE
from shared.store.postgres.transport.database import Database

GAP = "interval '3 seconds'"
"""A shorter time without an acknowledgement is not an outage."""

KEPT = "interval '1 day'"

ANSWER_LIMIT = 3.0  # seconds
"""A write that took longer was part of an outage."""

UNFINISHED = "interval '5 seconds'"
"""An outage continues if `acknowledged` is older than this. Without one it may be two writes old."""

OUTAGE = f"""least(interval '{MAX_OUTAGE.total_seconds()} seconds', (
       SELECT coalesce(sum(least(o.ended_at, now()) - greatest(o.began_at, f.rotated_at)), interval '0')
         FROM (SELECT began_at, ended_at FROM outages WHERE ended_at > f.rotated_at
               UNION ALL
               SELECT at, now() FROM acknowledged WHERE at < now() - {UNFINISHED}) o))"""
"""The time of outages since the family `f` was rotated, as an SQL interval."""

# It always writes, because PostgreSQL waits for a standby only then. An unconfirmed write may be visible, so
# only a write whose acknowledgement the worker has received counts. $1: the time of that. $2: whether the
# last write was acknowledged; then, if this one is late, the worker is late, and PostgreSQL was not down.
_BEAT = f"""
WITH known AS (
  UPDATE acknowledged SET at = CASE WHEN at IS NULL OR $2 THEN clock_timestamp()
                                    ELSE greatest(at, $1::timestamptz) END
  RETURNING at),
outage AS (
  INSERT INTO outages (began_at, ended_at)
  SELECT at, clock_timestamp() FROM known WHERE at < clock_timestamp() - {GAP}
  ON CONFLICT (began_at) DO UPDATE SET ended_at = greatest(outages.ended_at, excluded.ended_at)),
forgotten AS (DELETE FROM outages WHERE ended_at < now() - {KEPT})
SELECT clock_timestamp() AS at"""


class PostgresOutages:
    """`Outages` over PostgreSQL: one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._acknowledged_at: datetime | None = None
        self._was_answered = False

    async def beat(self) -> None:
        was_answered, self._was_answered, began = self._was_answered, False, time.monotonic()
        row = await self._database.row(_BEAT, self._acknowledged_at, was_answered)
        assert row is not None
        self._acknowledged_at = row["at"]
        self._was_answered = time.monotonic() - began < ANSWER_LIMIT
