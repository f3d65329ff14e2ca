"""A rate limiter that needs no round trip for a request.

Each process counts locally and adds its counts to the shared ones shortly afterwards. Counts are kept in
fixed windows, for a bounded number of keys. While Redis is down, each process allows a quarter of the rate:
it neither fails closed nor open.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.live.background import Background
from shared.store import SharedCounts, Unavailable

SHARED_EVERY = timedelta(seconds=0.1)
MAX_KEYS = 10_000
"""The number of keys that a process remembers, and shares in a window. Other keys are counted locally."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most *most* events for each key in each *period*, in all processes together."""

    most: int
    period: timedelta

    @property
    def alone(self) -> int:
        """The rate for a process that cannot share its counts."""
        return max(1, self.most // 4)

    def window(self, now: datetime) -> int:
        """The number of the period that contains *now*."""
        return int(now.timestamp() / self.period.total_seconds())

    def rest(self, now: datetime) -> timedelta:
        """The time until the next period begins."""
        end = datetime.fromtimestamp((self.window(now) + 1) * self.period.total_seconds(), UTC)
        return end - now


class RateLimiter:
    """Counts events by key. *name* separates its counts from others in Redis."""

    def __init__(self, shared_counts: SharedCounts, name: str, rate: Rate, *, is_on: bool) -> None:
        self._shared_counts = shared_counts
        self._name = name
        self._rate = rate
        self._is_on = is_on
        self._most = rate.most
        self._window = 0
        self._totals: OrderedDict[str, int] = OrderedDict()  # in all processes, as of the last `share`
        self._unshared: OrderedDict[str, int] = OrderedDict()
        self._shared_keys = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been counted, so no key has to wait."""
        return not (self._totals or self._unshared)

    def wait(self, key: str, now: datetime) -> timedelta | None:
        """The time that *key* must wait. None: it is within its rate."""
        self._enter_window(now)
        count = self._totals.get(key, 0) + self._unshared.get(key, 0)
        return self._rate.rest(now) if count >= self._most else None

    def count(self, key: str, now: datetime, amount: int = 1) -> None:
        """Count *amount* events of *key*."""
        if not self._is_on:
            return
        self._enter_window(now)
        self._unshared[key] = self._unshared.get(key, 0) + amount
        if len(self._unshared) > MAX_KEYS:
            self._unshared.popitem(last=False)

    def take(self, key: str, now: datetime, amount: int = 1) -> timedelta | None:
        """Count *amount* events of *key*, or return how long the key must wait; then nothing is counted."""
        if (wait := self.wait(key, now)) is None:
            self.count(key, now, amount)
        return wait

    async def share(self) -> None:
        """Add this process's counts to the shared ones. Raises Unavailable; then the process uses its own."""
        window, counts = self._window, self._sharable()
        if not counts:
            return
        try:
            totals = await self._shared_counts.add(f"{self._name}:{window}", counts, 2 * self._rate.period)
        except Unavailable:
            self._most = self._rate.alone
            raise
        self._most = self._rate.most
        if window == self._window:
            self._note(counts, totals)

    @asynccontextmanager
    async def sharing(self, background: Background) -> AsyncIterator[None]:
        """Share the counts every 100 ms, until the block ends."""
        async with background.repeating(f"rate limit: {self._name}", self.share, SHARED_EVERY):
            yield

    def _enter_window(self, now: datetime) -> None:
        if (window := self._rate.window(now)) != self._window:
            self._window = window
            self._totals.clear()
            self._unshared.clear()
            self._shared_keys = 0

    def _sharable(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        fresh = self._shared_keys
        for key, count in self._unshared.items():
            if key not in self._totals:
                fresh += 1
                if fresh > MAX_KEYS:
                    continue
            counts[key] = count
        return counts

    def _note(self, counts: Mapping[str, int], totals: Mapping[str, int]) -> None:
        for key, total in totals.items():
            if key not in self._totals:
                self._shared_keys += 1
            self._totals[key] = total
            rest = self._unshared.get(key, 0) - counts[key]
            if rest > 0:
                self._unshared[key] = rest
            else:
                self._unshared.pop(key, None)
        while len(self._totals) > MAX_KEYS:
            self._totals.popitem(last=False)
