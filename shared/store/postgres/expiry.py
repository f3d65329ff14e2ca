"""Deletes expired rows in PostgreSQL, with one statement for each batch, which waits for no lock.

A locked row is left for the next round. Every batch is found by an index on the end time, so its cost does
not depend on the size of the table.
"""

from collections.abc import Mapping
from datetime import timedelta

from shared.store.ports.expiry import Expiring, GrantPosition, TableSize
from shared.store.postgres.changes import CLIENT
from shared.store.postgres.transport.database import Database

CODE_KEPT = "interval '20 minutes'"
"""No code can be presented for so long, so a replay cannot make an older grant again."""


def _remove(table: str, key: str, condition: str, order: str) -> str:
    return f"""
WITH expired AS MATERIALIZED (
  SELECT {key} AS expired_key FROM {table} t WHERE {condition}
   ORDER BY {order} LIMIT $2 FOR UPDATE SKIP LOCKED),
removed AS (DELETE FROM {table} t USING expired WHERE t.{key} = expired_key RETURNING t.{key})
SELECT count(*) AS n FROM removed"""


def _ended(column: str) -> str:
    return f"t.{column} < now() - $1::interval"


# A logout notifies the clients with grants of the session, so a grant stays at least as long as its session.
_WITHOUT_SESSION = """NOT EXISTS (
  SELECT FROM sessions s WHERE s.sid = t.sid AND s.ended_at IS NULL AND s.expires_at > now())"""

_DELETED_CLIENT = f"""t.name LIKE '{CLIENT}%' AND t.value <= (SELECT passed_value FROM change_counter)
   AND NOT EXISTS (SELECT FROM clients c WHERE c.client_id = substr(t.name, {len(CLIENT) + 1}))
   AND $1::interval IS NOT NULL"""

# Audit rows are deleted by whole sealed segments, the oldest first, as many as fit into the batch. The last
# of them stays, without its rows: the next segment names its hash.
_REMOVE_AUDIT = """
WITH expired AS MATERIALIZED (
  SELECT segment_id, audit_ids FROM (
    SELECT segment_id, audit_ids, max(last_at) OVER earlier AS latest_at,
           sum(cardinality(audit_ids)) OVER earlier AS total
      FROM audit_segments WHERE NOT is_removed WINDOW earlier AS (ORDER BY segment_id)
     ORDER BY segment_id LIMIT 100) AS oldest
   WHERE latest_at < now() - $1::interval AND total <= $2),
removed AS (
  DELETE FROM audit WHERE audit_id IN (SELECT unnest(audit_ids) FROM expired) RETURNING audit_id),
emptied AS (
  UPDATE audit_segments SET is_removed = true WHERE segment_id = (SELECT max(segment_id) FROM expired)),
forgotten AS (
  DELETE FROM audit_segments WHERE segment_id < (SELECT max(segment_id) FROM expired))
SELECT count(*) AS n FROM removed"""

_REMOVE = {
    Expiring.SESSIONS: _remove("sessions", "session_key", _ended("expires_at"), "t.expires_at"),
    Expiring.GRANTS: _remove(
        "grants",
        "grant_id",
        f"{_ended('expires_at')} AND t.created_at < now() - {CODE_KEPT} AND {_WITHOUT_SESSION}",
        "t.expires_at",
    ),
    Expiring.REVOKED_ACCESS_TOKENS: _remove(
        "revoked_access_tokens", "token_id", _ended("expires_at"), "t.expires_at"
    ),
    Expiring.PERSONAL_ACCESS_TOKENS: _remove(
        "personal_access_tokens", "token_id", _ended("expires_at"), "t.expires_at"
    ),
    Expiring.CHANGES: _remove("changes", "name", _DELETED_CLIENT, "t.value"),
    Expiring.ADDRESS_CODES: _remove("address_codes", "user_id", _ended("expires_at"), "t.expires_at"),
    Expiring.RECOVERY_LINKS: _remove("recovery_links", "link_hash", _ended("expires_at"), "t.expires_at"),
    Expiring.RECOVERY_REQUESTS: _remove(
        "recovery_requests", "request_id", _ended("created_at"), "t.created_at"
    ),
    Expiring.MAILS: _remove("mails", "mail_id", _ended("expires_at"), "t.expires_at"),
    Expiring.OUTBOX: _remove("outbox", "notice_id", _ended("given_up_at"), "t.given_up_at"),
    Expiring.AUDIT: _REMOVE_AUDIT,
}

# A grant that is revoked, or whose family can no longer rotate, issues no further token.
_END_SPENT_GRANTS = f"""
WITH page AS MATERIALIZED (
  SELECT g.grant_id, g.expires_at, g.revoked_at IS NOT NULL OR NOT EXISTS (
           SELECT FROM refresh_families f WHERE f.grant_id = g.grant_id AND f.revoked_at IS NULL
              AND f.expires_at > now() AND f.rotated_at + f.idle > now()) AS is_spent
    FROM grants g
   WHERE g.expires_at > now() + $4::interval AND g.created_at < now() - {CODE_KEPT}
     AND ($1::timestamptz IS NULL OR (g.expires_at, g.grant_id) > ($1, $2))
   ORDER BY g.expires_at, g.grant_id LIMIT $3),
spent AS MATERIALIZED (
  SELECT g.grant_id FROM grants g JOIN page p USING (grant_id) WHERE p.is_spent FOR UPDATE OF g SKIP LOCKED),
ended AS (UPDATE grants g SET expires_at = now() + $4::interval FROM spent s WHERE g.grant_id = s.grant_id)
SELECT expires_at, grant_id, (SELECT count(*) FROM page) AS n
  FROM page ORDER BY expires_at DESC, grant_id DESC LIMIT 1"""

_PASS_CHANGES = """
UPDATE change_counter SET passed_value = marked_value, marked_value = value, marked_at = now()
 WHERE marked_at IS NULL OR marked_at < now() - interval '1 day'"""

_SIZES = """
SELECT relname, n_live_tup, pg_total_relation_size(relid) AS size FROM pg_stat_user_tables
 WHERE schemaname = current_schema()"""


class PostgresExpiry:
    """`Expiry` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remove(self, table: Expiring, retention: timedelta, limit: int) -> int:
        row = await self._database.row(_REMOVE[table], retention, limit)
        assert row is not None
        return int(row["n"])

    async def end_spent_grants(
        self, after: GrantPosition | None, limit: int, token_lifetime: timedelta
    ) -> GrantPosition | None:
        start = (after.expires_at, after.grant_id) if after else (None, None)
        row = await self._database.row(_END_SPENT_GRANTS, *start, limit, token_lifetime)
        if row is None or row["n"] < limit:
            return None
        return GrantPosition(row["expires_at"], row["grant_id"])

    async def pass_changes(self) -> None:
        await self._database.row(_PASS_CHANGES)

    async def sizes(self) -> Mapping[str, TableSize]:
        rows = await self._database.rows(_SIZES)
        return {row["relname"]: TableSize(row["n_live_tup"], row["size"]) for row in rows}
