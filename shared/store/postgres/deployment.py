"""The record of the deployment in PostgreSQL."""

from datetime import datetime

from shared.model import Json
from shared.store.ports.deployment import EndedCounts, RecordedSettings
from shared.store.postgres.outbox import TELL_OF_THESE
from shared.store.postgres.transport.database import Database

_ISSUER = "SELECT issuer FROM deployment"

_RECORD_ISSUER = "UPDATE deployment SET issuer = $1 WHERE issuer IS NULL"

_RECORDED = "SELECT issuer, settings FROM deployment"

_NOTE_SETTINGS = """
UPDATE deployment SET settings = $2 WHERE issuer = $1 AND settings IS DISTINCT FROM $2"""

_SET_ISSUER = """
WITH before AS (SELECT issuer FROM deployment FOR UPDATE),
changed AS (UPDATE deployment SET issuer = $1),
audited AS (
  INSERT INTO audit (event, detail)
  SELECT 'issuer_changed', jsonb_build_object('from', issuer, 'to', $1::text) FROM before)
SELECT issuer FROM before"""

_NOTE_RESTORED = """
WITH noted AS (UPDATE deployment SET restored_at = now())
INSERT INTO audit (event, detail) VALUES ('restored', jsonb_build_object('at', $1::timestamptz))"""

_END_MADE_BEFORE = """
WITH forgotten AS (DELETE FROM recovery_links WHERE created_at < $1),
old_sessions AS MATERIALIZED (
  SELECT sid FROM sessions WHERE created_at < $1 AND ended_at IS NULL LIMIT $2 FOR UPDATE),
ended AS (UPDATE sessions s SET ended_at = now() FROM old_sessions o WHERE s.sid = o.sid RETURNING s.sid),
old_grants AS MATERIALIZED (
  SELECT grant_id FROM grants WHERE created_at < $1 AND revoked_at IS NULL LIMIT $2 FOR UPDATE),
revoked AS (
  UPDATE grants g SET revoked_at = now() FROM old_grants o WHERE g.grant_id = o.grant_id
  RETURNING g.grant_id),
old_tokens AS MATERIALIZED (
  SELECT token_id FROM personal_access_tokens WHERE created_at < $1 LIMIT $2 FOR UPDATE),
removed AS (
  DELETE FROM personal_access_tokens t USING old_tokens o WHERE t.token_id = o.token_id RETURNING t.token_id)
SELECT ARRAY(SELECT sid FROM ended) AS sids, (SELECT count(*) FROM revoked) AS grants,
       (SELECT count(*) FROM removed) AS personal_access_tokens"""

MAY_BE_NEWER_THAN_BACKUP = "f.rotated_at < coalesce((SELECT restored_at FROM deployment), '-infinity')"
"""The family `f` was not rotated since a restore: its client may have a token that the backup lacks."""


class PostgresDeploymentRecord:
    """`DeploymentRecord` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issuer(self, issuer: str) -> str:
        while (recorded := await self._recorded()) is None:
            await self._database.row(_RECORD_ISSUER, issuer)
        return recorded

    async def _recorded(self) -> str | None:
        row = await self._database.row(_ISSUER)
        assert row is not None
        issuer: str | None = row["issuer"]
        return issuer

    async def recorded(self) -> RecordedSettings:
        row = await self._database.row(_RECORDED)
        assert row is not None
        return RecordedSettings(row["issuer"], row["settings"])

    async def note_settings(self, issuer: str, settings: Json) -> None:
        await self._database.row(_NOTE_SETTINGS, issuer, settings)

    async def set_issuer(self, issuer: str) -> str | None:
        row = await self._database.row(_SET_ISSUER, issuer)
        assert row is not None
        before: str | None = row["issuer"]
        return before

    async def note_restored(self, at: datetime) -> None:
        await self._database.row(_NOTE_RESTORED, at)

    async def end_made_before(self, at: datetime, limit: int) -> EndedCounts:
        async with self._database.transaction() as transaction:
            row = await transaction.fetchrow(_END_MADE_BEFORE, at, limit)
            assert row is not None
            await transaction.execute(TELL_OF_THESE, row["sids"])
        return EndedCounts(len(row["sids"]), row["grants"], row["personal_access_tokens"])
