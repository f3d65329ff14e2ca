"""Request deadlines: when a request's time is up, its handler is cancelled."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from shared.live import clock
from shared.store.ports.faults import Unavailable

TICK = 0.25  # seconds

_Result = TypeVar("_Result")


class Deadlines:
    """Cancels overdue work.

    All share one timer: one for each request would cost a tenth of a small response.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: dict[asyncio.Task[object], float] = {}
        self._overdue: set[asyncio.Task[object]] = set()
        self._timer = loop.call_later(TICK, self._tick)

    async def keep(self, work: Awaitable[_Result], due: float) -> _Result:
        """The result of *work*. Raises Unavailable if it is not complete at *due* (monotonic time)."""
        task = asyncio.current_task()
        assert task
        self._due[task] = due
        try:
            return await work
        except asyncio.CancelledError:
            if task not in self._overdue or task.uncancel() > 0:
                raise
            raise Unavailable("the request took too long") from None
        finally:
            del self._due[task]
            self._overdue.discard(task)

    def stop(self) -> None:
        """Stop the timer, so that no more work is cancelled."""
        self._timer.cancel()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK, self._tick)
        now = clock.monotonic()
        for task, due in self._due.items():
            if due <= now and task not in self._overdue:
                self._overdue.add(task)
                task.cancel()
