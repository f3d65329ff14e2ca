"""Removes deleted clients in batches, because a client may have any number of grants and consents."""

from shared.store.postgres.transport.database import Database

# Records of a new client with the same client_id have a later epoch, and stay.
_REMOVE = """
WITH removal AS MATERIALIZED (
  SELECT client_id, epoch, deleted_at FROM client_removals ORDER BY deleted_at LIMIT 1
     FOR UPDATE SKIP LOCKED),
grants_removed AS (
  DELETE FROM grants WHERE grant_id IN (
    SELECT g.grant_id FROM removal r JOIN grants g USING (client_id) WHERE g.client_epoch < r.epoch LIMIT $1)
  RETURNING 1),
consents_removed AS (
  DELETE FROM consents WHERE (user_id, client_id) IN (
    SELECT c.user_id, c.client_id FROM removal r JOIN consents c USING (client_id)
     WHERE c.client_epoch < r.epoch LIMIT $1)
  RETURNING 1),
notices_removed AS (
  DELETE FROM outbox WHERE notice_id IN (
    SELECT o.notice_id FROM removal r JOIN outbox o USING (client_id)
     WHERE o.created_at < r.deleted_at LIMIT $1)
  RETURNING 1)
SELECT client_id, epoch, (SELECT count(*) FROM grants_removed) + (SELECT count(*) FROM consents_removed)
       + (SELECT count(*) FROM notices_removed) AS removed FROM removal"""

_FINISH = """
WITH finished AS (DELETE FROM client_removals WHERE client_id = $1 AND epoch = $2 RETURNING client_id)
DELETE FROM clients c USING finished f WHERE c.client_id = f.client_id AND c.deleted_at IS NOT NULL"""


class PostgresClientRemovals:
    """`ClientRemovals` over PostgreSQL: one short statement for each batch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remove(self, batch: int) -> int:
        row = await self._database.row(_REMOVE, batch)
        if row is None:
            return 0
        if row["removed"] == 0:
            await self._database.row(_FINISH, row["client_id"], row["epoch"])
        return int(row["removed"]) or 1
