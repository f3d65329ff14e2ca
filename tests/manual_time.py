"""Time that passes only when a test says so, for the loops that run in the background."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

import pytest

from shared.live.background import Background


@dataclass(slots=True)
class ManualTime:
    """A monotonic clock, and a sleep that ends when the clock is advanced far enough."""

    now: float = 0.0
    _sleeping: dict["asyncio.Task[object]", tuple[float, "asyncio.Future[None]"]] = field(
        default_factory=dict
    )

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Until the clock has been advanced by so much."""
        task = asyncio.current_task()
        assert task is not None
        awake = asyncio.get_running_loop().create_future()
        self._sleeping[task] = (self.now + seconds, awake)
        await awake

    async def advance(self, seconds: float) -> None:
        """Wake the loops that are due, and wait until each sleeps again or has ended."""
        self.now += seconds
        woken = [task for task, (due_at, _) in self._sleeping.items() if due_at <= self.now]
        for task in woken:
            _, awake = self._sleeping.pop(task)
            if not awake.done():
                awake.set_result(None)
        async with asyncio.timeout(60):  # a hang guard
            while not all(task.done() or task in self._sleeping for task in woken):
                await asyncio.sleep(0.001)


@pytest.fixture
def manual_time(monkeypatch: pytest.MonkeyPatch) -> ManualTime:
    """The time of the loops of every application that the test starts."""
    time = ManualTime()
    monkeypatch.setattr("shared.web.app.Background", partial(Background, monotonic=time, sleep=time.sleep))
    return time
