"""Whether this process's event loop was late: stopped, or kept busy, while requests waited unread.

Their clients may have given up and asked elsewhere, so a late process spends nothing on what it reads first.
A virtual machine whose clocks stop with it does not notice; a proxy's `X-Request-Start` covers that.
"""

import asyncio

import structlog

from shared.live import clock
from shared.server.metrics import count_event

LATE = 1.0  # seconds without a turn of the loop
TICK = 0.25  # seconds
TURNS = 8  # of the loop in which nothing more arrives: it has read everything that waited
SETTLING = 0.25  # seconds after which new arrivals do not prolong that

logger = structlog.get_logger()


class Lateness:
    """Watches the event loop by a timer that is due all the time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ticked_at = clock.monotonic()
        self._turns_left = 0
        self._timer = loop.call_later(TICK, self._tick)
        self.last_noticed = float("-inf")
        """Monotonic time."""

    def is_late(self) -> bool:
        """Whether what is read now may have waited longer than LATE. Ask for each request and new connection.

        An event loop may accept one connection a turn, so each that arrives may have others behind it.
        """
        now = clock.monotonic()
        if now - self._ticked_at > LATE:
            self._notice(now)
        elif self._turns_left and now - self.last_noticed < SETTLING:
            self._turns_left = TURNS
        return self._turns_left > 0

    def stop(self) -> None:
        """Stop watching."""
        self._timer.cancel()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK, self._tick)
        now = clock.monotonic()
        if now - self._ticked_at > LATE:
            self._notice(now)
        self._ticked_at = now

    def _notice(self, now: float) -> None:
        logger.warning("loop_late", seconds=round(now - self._ticked_at, 1))
        count_event("loop_late")
        self._ticked_at = self.last_noticed = now
        if self._turns_left == 0:
            self._loop.call_soon(self._turn)
        self._turns_left = TURNS

    def _turn(self) -> None:
        self._turns_left -= 1
        if self._turns_left:
            self._loop.call_soon(self._turn)
