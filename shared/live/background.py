"""The supervised loop, which runs all periodic work of a process.

No exception ends a loop. `Unavailable` delays the work, and the store's own check reports it. Any other
exception is a defect: it is logged and counted, and the loop continues with backoff. A loop that completes no
round for three periods has stalled, and the process is not ready.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Literal
from uuid import UUID

import structlog

from shared.store import Leases, Misconfigured, Unavailable

FIRST_BACKOFF = 1.0  # seconds; doubles with each consecutive failure
LONGEST_BACKOFF = 4.0  # or the loop's own period, if that is longer
STALLED_AFTER = 3  # periods
PATIENCE = timedelta(seconds=5)  # at least: with a short period, a short fault is not a stall

Work = Callable[[], Awaitable[object]]
Outcome = Literal["ok", "unavailable", "failed"]
Observe = Callable[[str, Outcome], None]
Sleep = Callable[[float], Awaitable[None]]

logger = structlog.get_logger()


class Loop:
    """Repeats one piece of work. *observe* is called with the outcome of each round."""

    def __init__(
        self,
        name: str,
        work: Work,
        every: timedelta,
        observe: Observe,
        monotonic: Callable[[], float],
        *,
        patience: timedelta = PATIENCE,
    ) -> None:
        self.name = name
        self._longest_round = max(STALLED_AFTER * every, patience).total_seconds()
        self._work = work
        self._period = every.total_seconds()
        self._observe = observe
        self._monotonic = monotonic
        self._completed_at = monotonic()
        self._failures = 0
        self._is_delayed = False

    @property
    def has_stalled(self) -> bool:
        """Whether no round has completed for three periods."""
        return self._monotonic() - self._completed_at > self._longest_round

    async def round(self) -> float:
        """Do the work once. Returns the seconds to wait before the next round."""
        try:
            await self._work()
        except Misconfigured:
            return self._failed()
        except Unavailable as fault:
            if not self._is_delayed:
                logger.warning("background_work_delayed", work=self.name, cause=str(fault))
            self._is_delayed = True
            return self._completed("unavailable")
        except Exception:
            return self._failed()
        if self._is_delayed or self._failures:
            logger.info("background_work_resumed", work=self.name)
        self._is_delayed = False
        return self._completed("ok")

    def _completed(self, outcome: Outcome) -> float:
        self._observe(self.name, outcome)
        self._failures = 0
        self._completed_at = self._monotonic()
        return self._period

    def _failed(self) -> float:
        logger.exception("background_work_failed", work=self.name)
        self._observe(self.name, "failed")
        backoff = FIRST_BACKOFF * (1 << min(self._failures, 20))
        self._failures += 1
        return min(backoff, max(self._period, LONGEST_BACKOFF))


class Background:
    """The loops of a process."""

    def __init__(
        self,
        observe: Observe,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._observe = observe
        self._monotonic = monotonic
        self._sleep = sleep
        self._running: dict[Loop, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def repeating(
        self, name: str, work: Work, every: timedelta, *, patience: timedelta = PATIENCE
    ) -> AsyncIterator[None]:
        """Run *work* immediately and then about *every* period, until the block ends.

        *patience*: how long a round may take, if longer than three periods.
        """
        loop = Loop(name, work, every, self._observe, self._monotonic, patience=patience)
        self._running[loop] = running = asyncio.create_task(self._run(loop), name=name)
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            del self._running[loop]

    async def _run(self, loop: Loop) -> None:
        while True:
            await self._sleep(await loop.round())

    def stalled(self) -> tuple[str, ...]:
        """The names of the stalled loops."""
        return tuple(sorted(loop.name for loop in self._running if loop.has_stalled))


def under_lease(leases: Leases, name: str, holder: UUID, every: timedelta, work: Work) -> Work:
    """*work*, done by one process at a time.

    The lease lasts two periods, so the death of its holder delays the work by at most that long. Work must be
    idempotent: a process that was suspended may resume while another holds the lease.
    """

    async def as_holder() -> None:
        if await leases.take(name, holder, 2 * every):
            await work()

    return as_holder
