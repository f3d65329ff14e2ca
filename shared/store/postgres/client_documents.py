"""Clients of documents in PostgreSQL, and the documents that operators have approved."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from shared.model import Author
from shared.oauth.client.record import Client
from shared.store import Clients, Taken
from shared.store.postgres.changes import CLIENT
from shared.store.postgres.transport.database import Database

AT_A_TIME = 500

_USE = "UPDATE clients SET used_at = now() WHERE client_id = $1 AND document_hash IS NOT NULL"

_UNUSED = """
     document_hash IS NOT NULL AND deleted_at IS NULL AND disabled_at IS NULL
     AND coalesce(used_at, created_at) < now() - $1::interval
     AND NOT EXISTS (SELECT FROM grants g WHERE g.client_id = c.client_id AND g.client_epoch = c.epoch
                        AND g.revoked_at IS NULL AND g.expires_at > now())"""

# Deleted as by an operator: what is left of them is removed in batches.
_EXPIRE = f"""
WITH due AS MATERIALIZED (
  SELECT client_id FROM clients c WHERE {_UNUSED} LIMIT {AT_A_TIME} FOR UPDATE SKIP LOCKED),
expired AS (
  UPDATE clients c SET deleted_at = now(), disabled_at = now(), epoch = nextval('client_epochs'),
         version = version + 1
    FROM due WHERE c.client_id = due.client_id
  RETURNING c.client_id, c.epoch),
removal AS (
  INSERT INTO client_removals (client_id, epoch) SELECT client_id, epoch FROM expired
  ON CONFLICT (client_id) DO UPDATE SET epoch = excluded.epoch, deleted_at = excluded.deleted_at),
bumped AS (UPDATE change_counter SET value = value + 1 WHERE EXISTS (SELECT FROM expired) RETURNING value),
noted AS (INSERT INTO changes (name, value) SELECT '{CLIENT}' || client_id, value FROM expired, bumped
          ON CONFLICT (name) DO UPDATE SET value = excluded.value),
audited AS (INSERT INTO audit (event, client_id) SELECT 'client_expired', client_id FROM expired)
SELECT client_id FROM expired"""

_APPROVE = """
WITH approved AS (
  INSERT INTO approved_documents (client_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING client_id)
INSERT INTO audit (event, client_id) SELECT 'client_approved', client_id FROM approved RETURNING client_id"""
_WITHDRAW = """
WITH withdrawn AS (DELETE FROM approved_documents WHERE client_id = $1 RETURNING client_id)
INSERT INTO audit (event, client_id) SELECT 'client_approval_withdrawn', client_id FROM withdrawn
RETURNING client_id"""
_IS_APPROVED = "SELECT FROM approved_documents WHERE client_id = $1"


class PostgresClientDocuments:
    """`ClientDocuments` over PostgreSQL."""

    def __init__(self, database: Database, clients: Clients) -> None:
        self._database = database
        self._clients = clients

    async def keep(self, client: Client) -> None:
        with suppress(Taken):  # another user has agreed to it before
            await self._clients.add(client, by=Author("its document"))
        await self._database.row(_USE, client.client_id)

    async def expire(self, unused_for: timedelta) -> Sequence[str]:
        return [row["client_id"] for row in await self._database.rows(_EXPIRE, unused_for)]

    async def approve(self, client_id: str) -> bool:
        return await self._database.row(_APPROVE, client_id) is not None

    async def withdraw(self, client_id: str) -> bool:
        return await self._database.row(_WITHDRAW, client_id) is not None

    async def is_approved(self, client_id: str) -> bool:
        return await self._database.row(_IS_APPROVED, client_id) is not None
