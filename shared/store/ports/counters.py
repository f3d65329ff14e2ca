"""What is counted, and what counts once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class ReplayMarks(Protocol):
    """The `jti` of assertions and proofs: each counts once. Redis."""

    async def begin(self, since: datetime | None = None) -> None:
        """A Redis that knows nothing yet remembers from then on: from now, where a process only starts."""

    async def add(self, kind: str, owner: str, jti: str, issued_at: datetime, expires_at: datetime) -> bool:
        """Mark it. False: *owner* has used this `jti` for this *kind* before.

        Raises Unavailable also where it cannot be told, because it was issued before Redis lost its memory.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many tries are free, and how the wait after each further one doubles."""

    free: int
    first_wait: timedelta
    longest_wait: timedelta
    forgotten_after: timedelta  # without a try


class Counters(Protocol):
    """Tries that may fail, counted before they are made: many at once are as bounded as one after another.

    Redis; each process remembers its own, in case Redis forgets.
    """

    async def attempt(self, name: str, key: str, pace: Pace) -> timedelta | None:
        """Count a try. None: go ahead; else how long to wait, and nothing was counted."""

    async def take_back(self, name: str, key: str) -> None:
        """The try counted last did not fail."""

    async def forget(self, name: str, key: str, pace: Pace) -> None:
        """All that were counted no longer matter."""


class SharedCounts(Protocol):
    """What processes have counted by themselves, added up. Redis."""

    async def add(self, name: str, counts: Mapping[str, int], lifetime: timedelta) -> Mapping[str, int]:
        """Add each count to its key's; what all processes together have, of every key. One round trip."""
