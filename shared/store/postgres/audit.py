"""The audit log in PostgreSQL: one statement each."""

from collections.abc import Sequence
from uuid import UUID

from shared.model import AuditRecord, AuditSegment
from shared.store.ports.audit import AuditCount
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database

LATE = 10_000
"""Rows that may commit, with greater ids, before one whose transaction is still running."""

_COLUMNS = "audit_id, at, event, user_id, client_id, detail"
_LIST = f"SELECT {_COLUMNS} FROM audit WHERE audit_id > $1 ORDER BY audit_id LIMIT $2"


def _latest(matches: str) -> str:
    """The statement for the last $1 rows that match, each kind by its own index."""
    return f"SELECT {_COLUMNS} FROM audit WHERE {matches} ORDER BY audit_id DESC LIMIT $1"


_LATEST = _latest("true")
_LATEST_OF_EVENT = _latest("event = $2")
_LATEST_OF_CLIENT = _latest("client_id = $2")
_LATEST_OF_EVENT_AND_CLIENT = _latest("event = $2 AND client_id = $3")

_OF_USER = f"""
SELECT {_COLUMNS} FROM audit
 WHERE user_id = $1 AND audit_id < coalesce($2::bigint, {2**63 - 1}) ORDER BY audit_id DESC LIMIT $3"""

_IS_UNSEALED = f"""
a.audit_id > coalesce((SELECT max(last_id) FROM audit_segments), 0) - {LATE} AND NOT EXISTS (
  SELECT FROM audit_segments s, unnest(s.audit_ids) AS sealed_id
   WHERE s.last_id > (SELECT max(last_id) FROM audit_segments) - {2 * LATE} AND sealed_id = a.audit_id)"""
_UNSEALED = f"SELECT {_COLUMNS} FROM audit a WHERE {_IS_UNSEALED} ORDER BY audit_id LIMIT $1"
_COUNT_UNSEALED = f"SELECT count(*) AS n FROM audit a WHERE {_IS_UNSEALED}"
_COUNT = "SELECT count(*) AS n FROM audit"
_OF_SEGMENT = f"SELECT {_COLUMNS} FROM audit WHERE audit_id = ANY($1::bigint[]) ORDER BY audit_id"

_SEGMENT = "segment_id, audit_ids, hash, last_at, checkpoint, is_removed"
_LAST_SEGMENT = f"SELECT {_SEGMENT} FROM audit_segments ORDER BY segment_id DESC LIMIT 1"
_SEGMENTS = f"SELECT {_SEGMENT} FROM audit_segments WHERE segment_id > $1 ORDER BY segment_id LIMIT $2"
_SEAL = """
INSERT INTO audit_segments (segment_id, audit_ids, last_id, hash, last_at, checkpoint)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING segment_id"""


def _record(row: Row) -> AuditRecord:
    return AuditRecord(**dict(row))


def _segment(row: Row) -> AuditSegment:
    return AuditSegment(**{**dict(row), "audit_ids": tuple(row["audit_ids"])})


class PostgresAuditLog:
    """`AuditLog` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, after: int, limit: int) -> Sequence[AuditRecord]:
        return [_record(row) for row in await self._database.rows(_LIST, after, limit)]

    async def latest(
        self, limit: int, *, event: str | None = None, client_id: str | None = None
    ) -> Sequence[AuditRecord]:
        match event, client_id:
            case None, None:
                rows = await self._database.rows(_LATEST, limit)
            case _, None:
                rows = await self._database.rows(_LATEST_OF_EVENT, limit, event)
            case None, _:
                rows = await self._database.rows(_LATEST_OF_CLIENT, limit, client_id)
            case _:
                rows = await self._database.rows(_LATEST_OF_EVENT_AND_CLIENT, limit, event, client_id)
        return [_record(row) for row in reversed(rows)]

    async def of_user(self, user_id: UUID, before: int | None, limit: int) -> Sequence[AuditRecord]:
        return [_record(row) for row in await self._database.rows(_OF_USER, user_id, before, limit)]

    async def unsealed(self, limit: int) -> Sequence[AuditRecord]:
        return [_record(row) for row in await self._database.rows(_UNSEALED, limit)]

    async def count(self) -> AuditCount:
        every, unsealed = await self._database.row(_COUNT), await self._database.row(_COUNT_UNSEALED)
        assert every
        assert unsealed
        return AuditCount(every["n"], unsealed["n"])

    async def rows(self, audit_ids: Sequence[int]) -> Sequence[AuditRecord]:
        return [_record(row) for row in await self._database.rows(_OF_SEGMENT, audit_ids)]

    async def last_segment(self) -> AuditSegment | None:
        row = await self._database.row(_LAST_SEGMENT)
        return _segment(row) if row else None

    async def segments(self, after: int, limit: int) -> Sequence[AuditSegment]:
        return [_segment(row) for row in await self._database.rows(_SEGMENTS, after, limit)]

    async def seal(self, segment: AuditSegment) -> bool:
        row = await self._database.row(
            _SEAL,
            segment.segment_id,
            segment.audit_ids,
            max(segment.audit_ids),
            segment.hash,
            segment.last_at,
            segment.checkpoint,
        )
        return row is not None
