"""One try at a time, for all who wait for its outcome."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Outcome = TypeVar("Outcome")


class Joint(Generic[Outcome]):
    """Something that many need at once and one does: who gives up does not take it from the others."""

    def __init__(self, attempt: Callable[[], Coroutine[Any, Any, Outcome]]) -> None:
        self._attempt = attempt
        self._task: asyncio.Task[Outcome] | None = None

    @property
    def is_under_way(self) -> bool:
        return self._task is not None

    def begin(self) -> asyncio.Task[Outcome]:
        """The try that is under way, or a new one; nobody needs to wait for it."""
        if self._task is None:
            self._task = asyncio.create_task(self._attempt())
            self._task.add_done_callback(self._is_over)
        return self._task

    async def outcome(self) -> Outcome:
        """That of the try that is under way, or of a new one; its exception is everybody's."""
        return await asyncio.shield(self.begin())

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _is_over(self, task: asyncio.Task[Outcome]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # has been told to those who wait, if any do
