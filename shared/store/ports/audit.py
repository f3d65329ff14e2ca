"""Ports: the audit log, which the transactions of all other stores write."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from shared.model import AuditRecord, AuditSegment


@dataclass(frozen=True, slots=True)
class AuditCount:
    """The number of all rows, and of those that are not sealed yet."""

    rows: int
    unsealed: int


class AuditLog(Protocol):
    """Reads and seals the audit log. PostgreSQL."""

    async def list(self, after: int, limit: int) -> Sequence[AuditRecord]:
        """At most *limit* rows by id, after the row with that id."""

    async def latest(
        self, limit: int, *, event: str | None = None, client_id: str | None = None
    ) -> Sequence[AuditRecord]:
        """The last *limit* rows by id: of an event, of a client, or of all."""

    async def of_user(self, user_id: UUID, before: int | None, limit: int) -> Sequence[AuditRecord]:
        """At most *limit* rows of a user, the latest first, before the row with that id."""

    async def unsealed(self, limit: int) -> Sequence[AuditRecord]:
        """The first rows by id that are not sealed yet."""

    async def count(self) -> AuditCount: ...

    async def rows(self, audit_ids: Sequence[int]) -> Sequence[AuditRecord]:
        """The rows with these ids, by id. Missing ones are left out."""

    async def last_segment(self) -> AuditSegment | None: ...

    async def segments(self, after: int, limit: int) -> Sequence[AuditSegment]:
        """At most *limit* segments, in order, after the one with that id."""

    async def seal(self, segment: AuditSegment) -> bool:
        """Add a segment. False: another process has added one of this number."""
