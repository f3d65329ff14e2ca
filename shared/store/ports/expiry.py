"""What has expired leaves the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Expiring(StrEnum):
    """The tables whose rows expire."""

    SESSIONS = "sessions"
    GRANTS = "grants"  # with their refresh families
    REVOKED_ACCESS_TOKENS = "revoked_access_tokens"
    CHANGES = "changes"  # of clients that were deleted
    OUTBOX = "outbox"  # notices that were given up
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class GrantPosition:
    """How far the long-lived grants have been examined."""

    expires_at: datetime
    grant_id: UUID


@dataclass(frozen=True, slots=True)
class TableSize:
    """Of a table: live rows, as PostgreSQL estimates them, and bytes with its indexes."""

    rows: int
    size: int


class Expiry(Protocol):
    """Removes what has expired, in batches that lock nothing for long, by PostgreSQL's clock."""

    async def remove(self, table: Expiring, retention: timedelta, limit: int) -> int:
        """Remove at most *limit* rows that expired longer than *retention* ago; how many there were."""

    async def end_spent_grants(
        self, after: GrantPosition | None, limit: int, token_lifetime: timedelta
    ) -> GrantPosition | None:
        """Examine *limit* long-lived grants. None: all have been examined.

        A grant that can issue no further token ends when *token_lifetime* has passed.
        """

    async def pass_changes(self) -> None:
        """Once a day, note which changes every process has heard of by now."""

    async def sizes(self) -> Mapping[str, TableSize]:
        """The size of every table."""
