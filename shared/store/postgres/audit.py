"""The audit log in PostgreSQL, read in order."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from shared.model import Json
from shared.store.postgres.transport.database import Database

PAGE = 1000
_READ = """
SELECT audit_id, at, event, user_id, client_id, detail FROM audit
 WHERE audit_id > $1 AND at >= $2 ORDER BY audit_id LIMIT $3"""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class PostgresAuditLog:
    """`AuditLog` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, since: datetime | None = None) -> AsyncIterator[Json]:
        last = 0
        while rows := await self._database.rows(_READ, last, since or _BEGINNING, PAGE):
            for row in rows:
                yield dict(row)
            last = rows[-1]["audit_id"]
