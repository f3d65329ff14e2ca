"""The difference between this process's clock and PostgreSQL's, which decides what has expired."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from shared.live import clock

EVERY = timedelta(minutes=1)
WARNED_BEYOND = 5.0  # seconds
READY_WITHIN = 20.0

logger = structlog.get_logger()


def skew(before: datetime, server_time: datetime, after: datetime) -> float:
    """The seconds, at least, that this clock is ahead of PostgreSQL's; negative if it is behind.

    *server_time* was read between *before* and *after* by this clock, so a slow response does not count as
    skew.
    """
    ahead, behind = (before - server_time).total_seconds(), (server_time - after).total_seconds()
    return ahead if ahead > 0 else -behind if behind > 0 else 0.0


class ClockSkew:
    """Compares the two clocks. *observe* is called with each measurement, in seconds."""

    def __init__(
        self, database_time: Callable[[], Awaitable[datetime]], observe: Callable[[float], None]
    ) -> None:
        self._database_time = database_time
        self._observe = observe
        self._seconds = 0.0

    async def measure(self) -> None:
        """Ask PostgreSQL for its time. Raises Unavailable."""
        before = clock.now()
        server_time = await self._database_time()
        self._seconds = skew(before, server_time, clock.now())
        self._observe(self._seconds)
        if abs(self._seconds) > WARNED_BEYOND:
            logger.warning("clock_skew", seconds=round(self._seconds, 1))

    def fault(self) -> str | None:
        """Why this process must not decide what has expired. None: it may."""
        if abs(self._seconds) <= READY_WITHIN:
            return None
        direction = "ahead of" if self._seconds > 0 else "behind"
        return f"the clock is {abs(self._seconds):.0f} s {direction} PostgreSQL's"
