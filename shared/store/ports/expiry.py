"""Ports: the removal of expired rows."""

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
    PERSONAL_ACCESS_TOKENS = "personal_access_tokens"
    CHANGES = "changes"  # of clients that were deleted
    ADDRESS_CODES = "address_codes"
    RECOVERY_LINKS = "recovery_links"
    RECOVERY_REQUESTS = "recovery_requests"  # that no worker could read
    MAILS = "mails"
    OUTBOX = "outbox"  # notices that were given up
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class GrantPosition:
    """The long-lived grant that was examined last."""

    expires_at: datetime
    grant_id: UUID


@dataclass(frozen=True, slots=True)
class TableSize:
    """The size of a table: live rows, as PostgreSQL estimates them, and bytes, including indexes."""

    rows: int
    size: int


class Expiry(Protocol):
    """Removes expired rows, by PostgreSQL's clock, in batches that hold no lock for long."""

    async def remove(self, table: Expiring, retention: timedelta, limit: int) -> int:
        """Remove at most *limit* rows that expired longer than *retention* ago. Returns their number."""

    async def end_spent_grants(
        self, after: GrantPosition | None, limit: int, token_lifetime: timedelta
    ) -> GrantPosition | None:
        """Examine *limit* long-lived grants. None: all have been examined.

        A grant that can issue no further token ends after *token_lifetime*.
        """

    async def pass_changes(self) -> None:
        """Once a day, note which changes every process has seen."""

    async def sizes(self) -> Mapping[str, TableSize]:
        """The size of every table."""
