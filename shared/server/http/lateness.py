"""Detects that this process's event loop was late: suspended or blocked while requests waited unread.

The clients may have given up and retried elsewhere, so a late process must not spend codes or tokens for the
requests that it reads first. A virtual machine whose clocks are suspended with it cannot notice this; the
proxy's `X-Request-Start` covers that case.
"""

import asyncio

import structlog

from shared.live import clock
from shared.server.metrics import count_event, observe_loop_lag

LATE = 1.0  # seconds without a turn of the loop
TICK = 0.25  # seconds
TURNS = 8  # turns of the loop without new input: by then it has read everything that waited
SETTLING = 0.25  # seconds after which new input no longer prolongs the lateness

logger = structlog.get_logger()


class Lateness:
    """Watches the event loop with a timer that is always due."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ticked_at = clock.monotonic()
        self._turns_left = 0
        self._timer = loop.call_later(TICK, self._tick)
        self.last_noticed = float("-inf")
        """Monotonic time."""

    def is_late(self) -> bool:
        """Whether a request read now may have waited longer than LATE. Call it for each of them.

        An event loop may accept only one connection in each turn, so others may be waiting behind a new one.
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
        observe_loop_lag(max(now - self._ticked_at - TICK, 0.0))
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
