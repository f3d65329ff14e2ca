"""When clients were last used, in PostgreSQL: marked by the services, or derived from grants and consents."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from shared.store.postgres.changes import CLIENT
from shared.store.postgres.transport.database import Database

AT_A_TIME = 500

_MARK = "UPDATE clients SET used_at = now() WHERE client_id = ANY($1::text[])"

# Before every client was marked, only grants tell; so does the front channel.
_UNUSED_FOR = """
SELECT client_id, coalesce(used_at, created_at) AS since FROM clients c
 WHERE deleted_at IS NULL AND coalesce(used_at, created_at) < now() - $1::interval
   AND NOT EXISTS (SELECT FROM grants g
                    WHERE g.client_id = c.client_id AND g.created_at >= now() - $1::interval)"""

_UNUSED = "is_dynamically_registered AND used_at IS NULL"

# Stored with the client, because expired grants are deleted.
_MARK_BY_GRANTS = f"""
WITH used AS MATERIALIZED (
  SELECT client_id FROM clients c
   WHERE {_UNUSED} AND (EXISTS (SELECT FROM grants g
                                 WHERE g.client_id = c.client_id AND g.client_epoch >= c.first_epoch)
                        OR EXISTS (SELECT FROM consents s
                                    WHERE s.client_id = c.client_id AND s.client_epoch >= c.first_epoch))
   LIMIT {AT_A_TIME} FOR NO KEY UPDATE SKIP LOCKED),
marked AS (
  UPDATE clients c SET used_at = now() FROM used u WHERE c.client_id = u.client_id RETURNING c.client_id)
SELECT count(*) AS n FROM marked"""

_EXPIRE = f"""
WITH expired AS (
  DELETE FROM clients WHERE client_id IN (
    SELECT client_id FROM clients
     WHERE {_UNUSED} AND disabled_at IS NULL AND created_at < now() - $1::interval LIMIT {AT_A_TIME})
     AND {_UNUSED}
  RETURNING client_id),
bumped AS (UPDATE change_counter SET value = value + 1 WHERE EXISTS (SELECT FROM expired) RETURNING value),
noted AS (INSERT INTO changes (name, value) SELECT '{CLIENT}' || client_id, value FROM expired, bumped
          ON CONFLICT (name) DO UPDATE SET value = excluded.value),
audited AS (INSERT INTO audit (event, client_id) SELECT 'client_expired', client_id FROM expired)
SELECT client_id FROM expired"""


class PostgresClientUses:
    """`ClientUses` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mark(self, client_ids: Collection[str]) -> None:
        await self._database.row(_MARK, list(client_ids))

    async def unused(self, unused_for: timedelta) -> Mapping[str, datetime]:
        rows = await self._database.rows(_UNUSED_FOR, unused_for)
        return {row["client_id"]: row["since"] for row in rows}

    async def expire(self, unused_for: timedelta) -> Sequence[str]:
        while (marked := await self._database.row(_MARK_BY_GRANTS)) and marked["n"] == AT_A_TIME:
            pass
        return [row["client_id"] for row in await self._database.rows(_EXPIRE, unused_for)]
