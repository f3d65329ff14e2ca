"""What a process keeps in memory, and how it knows that it is still true.

Every half second a process asks PostgreSQL what has changed. What it keeps is trusted for one second after
the last answer; then requests wait for PostgreSQL, or get 503.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import structlog

from shared.store import Change, Changes, Unavailable

POLL_INTERVAL = 0.5  # seconds
TRUSTED_FOR = 1.0

logger = structlog.get_logger()


class Watcher(Protocol):
    """Something that keeps copies, and hears what has changed."""

    async def changed(self, change: Change) -> None: ...


class Watch:
    """Polls the change counter and tells the watchers, before anyone may trust the new answer."""

    def __init__(self, changes: Changes, clock: Callable[[], float] = time.monotonic) -> None:
        self._changes = changes
        self._clock = clock
        self._watchers: list[Watcher] = []
        self._confirmed_at = float("-inf")
        self._polling: asyncio.Task[None] | None = None
        self._is_known = False
        self.counter = 0

    def add(self, watcher: Watcher) -> None:
        self._watchers.append(watcher)

    @property
    def age(self) -> float:
        """Seconds since PostgreSQL last answered."""
        return self._clock() - self._confirmed_at

    async def fresh(self) -> None:
        """Return when what is kept may be trusted. Raises Unavailable."""
        if self.age > TRUSTED_FOR:
            await self.poll()

    async def poll(self) -> None:
        """Ask now; of many callers at once one asks. Raises Unavailable."""
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
            self._polling.add_done_callback(_heard)
        await asyncio.shield(self._polling)

    async def _poll(self) -> None:
        asked_at = self._clock()
        change = await self._changes.since(self.counter)
        if change.counter != self.counter or not self._is_known:
            for watcher in self._watchers:
                await watcher.changed(change)
        self.counter, self._is_known = change.counter, True
        self._confirmed_at = asked_at

    async def run(self) -> None:
        """Poll for ever; a fault is one line in the log, when it begins and when it ends."""
        is_away = False
        while True:
            try:
                await self.poll()
                if is_away:
                    logger.info("postgresql_back")
                is_away = False
            except Unavailable as fault:
                if not is_away:
                    logger.warning("postgresql_away", cause=str(fault))
                is_away = True
            await asyncio.sleep(POLL_INTERVAL)


def _heard(polling: "asyncio.Task[None]") -> None:
    """Whoever asked may have left by now: their fault is nobody's."""
    if not polling.cancelled():
        polling.exception()


async def cancel(task: "asyncio.Task[None]") -> None:
    """End a background task and wait until it has ended."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
