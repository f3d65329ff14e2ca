"""A limit of attempts of one kind, which the processes of a deployment share."""

from dataclasses import dataclass
from datetime import timedelta

from shared.store import Counters, Pace


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counts attempts before they are made, so that concurrent ones are bounded too.

    `name`: that of the counters. `is_on`: whether this deployment limits rates.
    """

    counters: Counters
    name: str
    pace: Pace
    is_on: bool

    async def admit(self, key: str) -> timedelta | None:
        """Count an attempt of *key*. None: it is admitted; otherwise the time to wait. Raises Unavailable."""
        return await self.counters.attempt(self.name, key, self.pace) if self.is_on else None

    async def take_back(self, key: str) -> None:
        """Undo the count of an attempt that was not made. Raises Unavailable."""
        if self.is_on:
            await self.counters.take_back(self.name, key)
