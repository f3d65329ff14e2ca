"""One attempt at a time, shared by all callers that wait for its result."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Runs *attempt* once for many callers. A caller that gives up does not cancel it for the others."""

    def __init__(self, attempt: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self._attempt = attempt
        self._task: asyncio.Task[Result] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self) -> asyncio.Task[Result]:
        """The attempt that is running, or a new one; nobody needs to wait for it."""
        if self._task is None:
            self._task = asyncio.create_task(self._attempt())
            self._task.add_done_callback(self._finish)
        return self._task

    async def result(self) -> Result:
        """The result of the attempt that is running, or of a new one. Raises what the attempt raises."""
        return await asyncio.shield(self.start())

    async def close(self) -> None:
        """Cancel the running attempt, and wait until it has released its resources."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _finish(self, task: asyncio.Task[Result]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # retrieved here, because nobody may have waited
