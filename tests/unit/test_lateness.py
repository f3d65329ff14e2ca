"""A process notices that its event loop was blocked, whatever callback runs first."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from shared.live import clock
from shared.server.http.lateness import LATE, SETTLING, TICK, TURNS, Lateness


class FakeLoop:
    """An event loop whose timers and callbacks a test runs, and its clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timer: Callable[[], None] | None = None
        self.soon: list[Callable[[], None]] = []

    def call_later(self, _: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        self.timer = callback
        return cast(asyncio.TimerHandle, None)

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.soon.append(callback)

    def tick(self) -> None:
        """The timer is due."""
        assert self.timer
        self.timer()

    def turn(self) -> None:
        """One iteration of the loop."""
        callbacks, self.soon = self.soon, []
        for callback in callbacks:
            callback()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> FakeLoop:
    """The loop of the process, which stands still."""
    loop = FakeLoop()
    monkeypatch.setattr(clock, "monotonic", lambda: loop.now)
    return loop


@pytest.fixture
def lateness(loop: FakeLoop) -> Lateness:
    """Its watch."""
    return Lateness(cast(asyncio.AbstractEventLoop, loop))


def test_a_loop_that_turns_is_not_late(loop: FakeLoop, lateness: Lateness) -> None:
    """However long it has been running."""
    for _ in range(100):
        loop.now += TICK
        assert not lateness.is_late()
        loop.tick()
    assert not lateness.is_late()


@pytest.mark.parametrize("timer_first", [True, False])
def test_a_loop_that_was_stopped_is_late_until_nothing_more_arrives(
    loop: FakeLoop, lateness: Lateness, timer_first: bool
) -> None:
    """Lateness is noticed whether timers or readers run first."""
    loop.now += LATE + 0.1
    if timer_first:
        loop.tick()
    assert lateness.is_late()
    assert lateness.last_noticed == loop.now
    if not timer_first:
        loop.tick()
    for _ in range(3 * TURNS):
        loop.turn()
        assert lateness.is_late()
    for _ in range(TURNS):
        loop.turn()
    assert not lateness.is_late()


def test_a_loop_that_never_comes_to_rest_is_late_for_a_short_while(
    loop: FakeLoop, lateness: Lateness
) -> None:
    """Under load, requests arrive in every iteration."""
    loop.now += LATE + 0.1
    loop.tick()
    loop.now += SETTLING
    for _ in range(TURNS):
        assert lateness.is_late()
        loop.turn()
    assert not lateness.is_late()


def test_a_stop_while_it_is_late_begins_anew(loop: FakeLoop, lateness: Lateness) -> None:
    """A loop that was stopped twice is late for as long after the second stop."""
    loop.now += LATE + 0.1
    loop.tick()
    loop.now += LATE + 0.1
    assert lateness.is_late()
    for _ in range(TURNS - 1):
        loop.turn()
    assert lateness.is_late()
