"""Work in the background, logout notices, and the audit log."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.model import (
    Json,
)


class Leases(Protocol):
    """Who does a piece of background work. PostgreSQL."""

    async def take(self, name: str, holder: UUID, period: timedelta) -> bool:
        """Take or renew the lease for *period*. False: another has it."""


class Outages(Protocol):
    """When PostgreSQL acknowledged no write, as facts that it keeps itself. PostgreSQL."""

    async def beat(self) -> None:
        """Write, and note the time since the last acknowledged write as an outage if it was over 3 s.

        For workers: each of them, every second, without a lease. It has a connection of its own, so neither
        a full pool nor a flood of requests looks like an outage.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNotice:
    """What a client is yet to be told by the back channel: a session of one of its users has ended."""

    notice_id: UUID  # the `jti` of its logout token, at every try
    client_id: str
    sid: UUID
    user_id: UUID
    tries: int
    created_at: datetime
    due_at: datetime
    given_up_at: datetime | None


class Outbox(Protocol):
    """Logout notices that wait, written by the transactions that end sessions. PostgreSQL."""

    async def take(self, limit: int, lease: timedelta, now: datetime) -> Sequence[LogoutNotice]:
        """Notices that are due, for this caller alone until the lease ends: then they are due again."""

    async def settle(self, notice_id: UUID) -> None:
        """The client has been told, or there is nobody to tell any more."""

    async def put_off(self, notice_id: UUID, due_at: datetime) -> None: ...

    async def give_up(self, notice_id: UUID, now: datetime) -> None:
        """Try no more, with an audit row."""

    async def list(self, limit: int) -> Sequence[LogoutNotice]:
        """Everything that waits or was given up, the oldest first."""

    async def retry(self) -> int:
        """What was given up begins anew; how many."""


class AuditLog(Protocol):
    """The audit log, read. It is written by the statements of the changes themselves."""

    def read(self, since: datetime | None = None) -> AsyncIterator[Json]: ...
