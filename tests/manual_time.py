"""A clock that only a test advances, for background loops."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from shared.live.background import Background, Observe


@dataclass(slots=True)
class ManualTime:
    """A monotonic clock, and a sleep that ends when the clock is advanced far enough."""

    now: float = 0.0
    backgrounds: list[Background] = field(default_factory=list)
    _sleeping: "dict[asyncio.Task[object], tuple[float, asyncio.Future[None]]]" = field(default_factory=dict)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Sleep until the clock has been advanced by so much."""
        task = asyncio.current_task()
        assert task is not None
        awake = asyncio.get_running_loop().create_future()
        self._sleeping[task] = (self.now + seconds, awake)
        await awake

    async def advance(self, seconds: float) -> None:
        """Wake the loops that are due, and wait until every loop sleeps again or has ended."""
        await self.settle()
        self.now += seconds
        for task, (due_at, awake) in tuple(self._sleeping.items()):
            if due_at <= self.now:
                del self._sleeping[task]
                if not awake.done():
                    awake.set_result(None)
        await self.settle()

    async def settle(self) -> None:
        """Wait until every loop sleeps or has ended."""
        async with asyncio.timeout(60):  # a hang guard
            while not all(task.done() or task in self._sleeping for task in self._tasks()):
                await asyncio.sleep(0.001)

    def _tasks(self) -> "list[asyncio.Task[None]]":
        return [task for background in self.backgrounds for task in background._running.values()]


@pytest.fixture
def manual_time(monkeypatch: pytest.MonkeyPatch) -> ManualTime:
    """The time of the loops of every application that the test starts."""
    time = ManualTime()

    def background(observe: Observe, *_: Callable[..., object]) -> Background:
        time.backgrounds.append(Background(observe, time, time.sleep))
        return time.backgrounds[-1]

    monkeypatch.setattr("shared.server.app.Background", background)
    return time
