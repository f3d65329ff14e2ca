"""Ports: counters, and marks against replay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class ReplayMarks(Protocol):
    """The `jti` of assertions and proofs, each accepted once. Redis."""

    async def begin(self, since: datetime | None = None) -> None:
        """Let an empty Redis remember from *since* on; from now if a process only starts."""

    async def add(self, kind: str, owner: str, jti: str, issued_at: datetime, expires_at: datetime) -> bool:
        """Mark a `jti`. False: *owner* has used it for this *kind* before.

        Raises Unavailable also if that is unknown, because the `jti` was issued before Redis lost its data.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The number of free attempts, and the wait after them, which doubles with each further attempt."""

    free: int
    first_wait: timedelta
    longest_wait: timedelta
    forgotten_after: timedelta  # without an attempt


class Counters(Protocol):
    """Attempts that may fail. They are counted before they are made, which bounds concurrent ones too.

    Redis. Each process also remembers its own, in case Redis loses its data.
    """

    async def attempt(self, name: str, key: str, pace: Pace) -> timedelta | None:
        """Count an attempt. None: it is admitted; otherwise the time to wait, and nothing is counted."""

    async def take_back(self, name: str, key: str) -> None:
        """Undo the last counted attempt, which did not fail."""

    async def forget(self, name: str, key: str, pace: Pace) -> None:
        """Reset the count."""


class SharedCounts(Protocol):
    """The sums of what processes have counted by themselves. Redis."""

    async def add(self, name: str, counts: Mapping[str, int], lifetime: timedelta) -> Mapping[str, int]:
        """Add each count to its key's sum. Returns the sums of all processes, in one round trip."""
