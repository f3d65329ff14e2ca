"""When a delivery that failed is tried again, and how a worker empties a queue."""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from shared.live import clock

EVERY = timedelta(seconds=1)
ROUND = 10.0  # seconds, after which a round starts no further batch
PATIENCE = timedelta(minutes=1)  # servers that hang delay a batch, but are no defect of the worker
AT_A_TIME = 16
LEASE = timedelta(seconds=30)
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)


def next_try(tries: int, until: datetime, now: datetime) -> datetime | None:
    """The time of the next attempt after a failed one; the wait doubles each time.

    None: give up. No attempt begins after *until*, but a last one does not wait longer than the others.
    """
    if now >= until:
        return None
    doublings = min(tries - 1, 20)
    return now + min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def until_nothing_is_due(deliver: Callable[[datetime], Awaitable[int]]) -> Callable[[], Awaitable[None]]:
    """Work that calls *deliver*, which returns the size of its batch, until a batch is not full."""

    async def work() -> None:
        begun_at = time.monotonic()
        while await deliver(clock.now()) == AT_A_TIME and time.monotonic() - begun_at < ROUND:
            pass

    return work
