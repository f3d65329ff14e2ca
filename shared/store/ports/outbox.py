"""Ports: the outbox of logout notices that the worker has to deliver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNotice:
    """A pending back-channel notice to a client: a session of one of its users has ended."""

    notice_id: UUID  # the `jti` of its logout token, at every attempt
    client_id: str
    sid: UUID
    user_id: UUID
    tries: int
    created_at: datetime
    due_at: datetime
    given_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How many notices wait or were given up, and since when the oldest has waited."""

    waiting: int
    given_up: int
    oldest: datetime | None


class Outbox(Protocol):
    """Pending logout notices, written by the transactions that end sessions. PostgreSQL."""

    async def take(self, limit: int, lease: timedelta, now: datetime) -> Sequence[LogoutNotice]:
        """Take due notices, for this caller alone until the lease ends. Then they are due again."""

    async def settle(self, notice_id: UUID) -> None:
        """Remove a notice that was delivered, or that nobody needs any more."""

    async def put_off(self, notice_id: UUID, due_at: datetime) -> None: ...

    async def give_up(self, notice_id: UUID, now: datetime) -> None:
        """Stop delivering a notice, with an audit row."""

    async def list(self, limit: int) -> Sequence[LogoutNotice]:
        """Pending notices and those that were given up, oldest first."""

    async def state(self) -> OutboxState: ...

    async def retry(self) -> int:
        """Make notices that were given up due again. Returns their number."""
