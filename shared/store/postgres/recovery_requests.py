"""Requests for recovery links in PostgreSQL: one statement each, whoever is asked about."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from shared.store.codecs.sealed_values import SealedValues
from shared.store.ports.recovery_links import RecoveryContents, RecoveryRequest
from shared.store.postgres.queue import settle, take_due
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database

_ADD = "INSERT INTO recovery_requests (request_id, contents) VALUES ($1, $2) ON CONFLICT DO NOTHING"

_TAKE = take_due("recovery_requests", "request_id", "request_id, contents")

_SETTLE = settle("recovery_requests", "request_id")


class PostgresRecoveryRequests:
    """`RecoveryRequests` over PostgreSQL."""

    def __init__(self, database: Database, sealed: SealedValues[RecoveryContents]) -> None:
        self._database = database
        self._sealed = sealed

    async def add(self, contents: RecoveryContents) -> None:
        request_id = uuid4()
        await self._database.row_idempotent(_ADD, request_id, self._sealed.write(request_id, contents))

    async def take(self, limit: int, lease: timedelta, now: datetime) -> Sequence[RecoveryRequest]:
        return list(self._readable(await self._database.rows(_TAKE, now, now + lease, limit)))

    def _readable(self, rows: Sequence[Row]) -> Iterator[RecoveryRequest]:
        for row in rows:
            if contents := self._sealed.read(row["request_id"], row["contents"]):
                yield RecoveryRequest(request_id=row["request_id"], contents=contents)

    async def settle(self, request_id: UUID) -> None:
        await self._database.row_idempotent(_SETTLE, request_id)
