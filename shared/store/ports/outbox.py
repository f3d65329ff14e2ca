"""The outbox: logout notices that the worker still has to deliver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID


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
