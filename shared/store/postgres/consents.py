"""Consents in PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID

from shared.model import Scope
from shared.store import ClientAccess
from shared.store.postgres.live_grants import GRANT, GRANT_STANDS
from shared.store.postgres.outbox import LOCK_USER, TELL_CLIENT
from shared.store.postgres.transport.database import Database

_NOTE = """
INSERT INTO audit (event, user_id, client_id, detail)
VALUES ('consent_given', $1, $2, jsonb_build_object('scope', $3::text[]))"""
_ADD = f"""
WITH noted AS ({_NOTE})
INSERT INTO consents AS c (user_id, client_id, scope, client_epoch)
SELECT $1, $2, $3, epoch FROM clients WHERE client_id = $2
ON CONFLICT (user_id, client_id) DO UPDATE SET updated_at = now(), client_epoch = excluded.client_epoch,
   scope = CASE WHEN c.client_epoch < (SELECT first_epoch FROM clients WHERE client_id = $2)
                THEN excluded.scope  -- the former was given to a deleted client of that client_id
                ELSE ARRAY(SELECT DISTINCT unnest(c.scope || excluded.scope) ORDER BY 1) END"""

_OF = """
SELECT scope FROM consents JOIN clients USING (client_id)
 WHERE user_id = $1 AND client_id = $2 AND client_epoch >= first_epoch"""

_OF_USER = f"""
WITH standing AS (
  SELECT client_id, count(DISTINCT grant_id) AS grants, array_agg(DISTINCT token ORDER BY token) AS granted,
         max(greatest(g.created_at, (SELECT rotated_at FROM refresh_families f
                                      WHERE f.grant_id = g.grant_id))) AS last_used_at
    FROM {GRANT} CROSS JOIN LATERAL unnest(g.scope) AS token
   WHERE g.user_id = $1 AND {GRANT_STANDS} GROUP BY client_id)
SELECT client_id, coalesce(c.scope, '{{}}') AS scope, coalesce(s.grants, 0) AS grants,
       coalesce(s.granted, '{{}}') AS granted, s.last_used_at
  FROM (SELECT client_id, scope FROM consents JOIN clients USING (client_id)
         WHERE user_id = $1 AND client_epoch >= first_epoch) c FULL JOIN standing s USING (client_id)
 ORDER BY client_id"""

# The epoch rises, and everything except the revoked grants is carried over to it. Pending codes and grants
# that are being made, which no statement here can see, keep the old epoch and become invalid.
_REVOKE = """
WITH risen AS (
  UPDATE users SET epoch = epoch + 1 WHERE user_id = $1 RETURNING epoch AS risen_to, epoch - 1 AS risen_from),
sessions_go_on AS (
  UPDATE sessions SET epoch = risen_to FROM risen
   WHERE user_id = $1 AND epoch = risen_from AND ended_at IS NULL),
grants_go_on AS (
  UPDATE grants SET epoch = risen_to FROM risen
   WHERE user_id = $1 AND client_id <> $2 AND epoch = risen_from AND revoked_at IS NULL),
tokens_go_on AS (
  UPDATE personal_access_tokens SET epoch = risen_to FROM risen WHERE user_id = $1 AND epoch = risen_from),
revoked AS (
  UPDATE grants SET revoked_at = now() FROM risen
   WHERE user_id = $1 AND client_id = $2 AND epoch = risen_from AND revoked_at IS NULL AND expires_at > now()
  RETURNING grant_id),
forgotten AS (DELETE FROM consents WHERE user_id = $1 AND client_id = $2 RETURNING scope),
audited AS (
  INSERT INTO audit (event, user_id, client_id, detail)
  SELECT 'consent_revoked', $1, $2, jsonb_build_object(
           'scope', coalesce((SELECT scope FROM forgotten), '{}'),
           'grants', (SELECT count(*) FROM revoked))
    FROM risen)
SELECT count(*) FROM revoked"""


class PostgresConsents:
    """`Consents` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user_id: UUID, client_id: str, scope: Scope, *, is_remembered: bool) -> None:
        await self._database.row(_ADD if is_remembered else _NOTE, user_id, client_id, list(scope))

    async def of(self, user_id: UUID, client_id: str) -> Scope | None:
        row = await self._database.row(_OF, user_id, client_id)
        return tuple(row["scope"]) if row else None

    async def of_user(self, user_id: UUID) -> Sequence[ClientAccess]:
        rows = await self._database.rows(_OF_USER, user_id)
        return [
            ClientAccess(
                client_id=row["client_id"],
                scope=tuple(row["scope"]),
                grants=row["grants"],
                granted=tuple(row["granted"]),
                last_used_at=row["last_used_at"],
            )
            for row in rows
        ]

    async def revoke(self, user_id: UUID, client_id: str) -> int:
        async with self._database.transaction() as connection:
            await connection.execute(LOCK_USER, user_id)  # waits for grants that are being made
            await connection.execute(TELL_CLIENT, user_id, client_id)
            return int(await connection.fetchval(_REVOKE, user_id, client_id))
