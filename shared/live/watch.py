"""Keeps the copies in a process's memory consistent with PostgreSQL.

Every half second, a process asks PostgreSQL for changes. Its copies are trusted for one second after the last
answer. After that, requests wait for PostgreSQL or get 503.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import structlog

from shared.store import Change, Changes, Unavailable

POLL_INTERVAL = timedelta(seconds=0.5)
TRUSTED_FOR = 1.0  # seconds

logger = structlog.get_logger()


class Watcher(Protocol):
    """Keeps copies, and is told about changes."""

    async def changed(self, change: Change) -> None: ...


class Watch:
    """Polls the change counter and notifies the watchers before the new answer is trusted."""

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

    def silence(self, limit: float) -> str | None:
        """The fault if PostgreSQL has not answered for more than *limit* seconds."""
        return None if self.age <= limit else f"PostgreSQL has not answered for {self.age:.0f} s"

    async def fresh(self) -> None:
        """Return when the copies may be trusted. Raises Unavailable."""
        if self.age > TRUSTED_FOR:
            await self.ask()

    async def ask(self) -> None:
        """As `poll`, for a request. Raises Unavailable for every fault: the loop reports the others."""
        try:
            await self.poll()
        except Unavailable:
            raise
        except Exception as fault:
            raise Unavailable(f"changes cannot be read: {type(fault).__name__} {fault}") from fault

    async def poll(self) -> None:
        """Query the change counter; concurrent callers share one query.

        Raises Unavailable, or a watcher's exception.
        """
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
            self._polling.add_done_callback(_heard)
        await asyncio.shield(self._polling)

    async def _poll(self) -> None:
        asked_at = self._clock()
        change = await self._changes.since(self.counter)
        if change.counter < self.counter:
            logger.error("database_went_back", counter=change.counter, known=self.counter)
            change = replace(await self._changes.since(0), has_keys=True, is_rewound=True)
        if change.counter != self.counter or not self._is_known:
            for watcher in self._watchers:
                await watcher.changed(change)
        self.counter, self._is_known = change.counter, True
        self._confirmed_at = asked_at


def _heard(polling: "asyncio.Task[None]") -> None:
    """Mark the exception as retrieved, because all callers may have gone."""
    if not polling.cancelled():
        polling.exception()
