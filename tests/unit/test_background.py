"""The supervised loop: no fault ends it, and a loop that completes nothing is named."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from shared.live.background import LONGEST_BACKOFF, PATIENCE, Background, Loop
from shared.store import Misconfigured, Unavailable
from tests.planted import planted
from tests.planted.background import ends_with_the_first_defect, takes_a_defect_for_a_round

PERIOD = timedelta(seconds=10)


class _Time:
    """A clock that sleeping advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class _Work:
    """Raises each of its faults in turn; None is a success. Done after the last one."""

    def __init__(self, *faults: Exception | None) -> None:
        self.rounds = 0
        self.is_done = asyncio.Event()
        self._faults = iter(faults)

    async def __call__(self) -> None:
        self.rounds += 1
        try:
            fault = next(self._faults)
        except StopIteration:
            self.is_done.set()
            return
        if fault:
            raise fault


def _loop(work: Callable[[], Awaitable[object]], time: _Time, observed: list[str] | None = None) -> Loop:
    outcomes = observed if observed is not None else []
    return Loop("work", work, PERIOD, lambda _, outcome: outcomes.append(outcome), time)


@planted(ends_with_the_first_defect)
@pytest.mark.parametrize(
    "fault",
    [
        RuntimeError("a defect"),
        Misconfigured("28P01"),
        KeyError("row"),
        AssertionError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_a_loop_survives_every_defect(fault: Exception) -> None:
    """The work runs again after each defect, as long as the process runs."""
    assert await _rounds(_Work(fault, fault, Unavailable(), fault)) > 4


async def _rounds(work: _Work) -> int:
    """How often *work* runs while nothing else does."""
    time = _Time()
    background = Background(lambda *_: None, time, time.sleep)
    async with background.repeating("work", work, PERIOD):
        for _ in range(100):
            await asyncio.sleep(0)
    return work.rounds


async def test_a_loop_ends_with_its_block() -> None:
    """After the block nothing runs any more, and nothing is reported as stalled."""
    time, work = _Time(), _Work()
    background = Background(lambda *_: None, time, time.sleep)
    async with background.repeating("work", work, PERIOD):
        await work.is_done.wait()
    rounds = work.rounds
    time.now += 1000
    for _ in range(10):
        await asyncio.sleep(0)
    assert (work.rounds, background.stalled()) == (rounds, ())


async def test_each_outcome_is_counted() -> None:
    """One count for each round: done, delayed by a store, or failed by a defect."""
    observed: list[str] = []
    loop = _loop(_Work(None, Unavailable(), RuntimeError(), Misconfigured()), _Time(), observed)
    for _ in range(4):
        await loop.round()
    assert observed == ["ok", "unavailable", "failed", "failed"]


async def test_defects_are_retried_with_backoff() -> None:
    """The wait doubles up to the period of the loop, and starts again after a success."""
    faults = [*[RuntimeError()] * 6, None, RuntimeError()]
    loop = _loop(_Work(*faults), _Time())
    waits = [await loop.round() for _ in faults]
    assert waits == [1, 2, 4, 8, 10, 10, 10, 1]


async def test_a_short_loop_backs_off_too() -> None:
    """A defect every half second would flood the log."""
    loop = Loop("short", _Work(*[RuntimeError()] * 9), timedelta(seconds=0.5), lambda *_: None, _Time())
    assert [await loop.round() for _ in range(9)][-1] == LONGEST_BACKOFF


@planted(takes_a_defect_for_a_round)
@pytest.mark.parametrize("fault", [RuntimeError(), Misconfigured()], ids=lambda fault: type(fault).__name__)
async def test_a_loop_that_completes_nothing_for_three_periods_has_stalled(fault: Exception) -> None:
    """Failed rounds do not count as completed. The first success ends the stall."""
    time = _Time()
    loop = _loop(_Work(fault, fault, None), time)
    await loop.round()
    time.now = 30.0
    assert not loop.has_stalled
    time.now = 30.1
    await loop.round()
    assert loop.has_stalled
    await loop.round()
    assert not loop.has_stalled


async def test_a_round_that_hangs_is_a_stall() -> None:
    """A loop whose work never returns is reported like one whose work fails."""
    time = _Time()
    background = Background(lambda *_: None, time, time.sleep)
    async with background.repeating("hangs", asyncio.Event().wait, PERIOD):
        await asyncio.sleep(0)
        assert background.stalled() == ()
        time.now = 30.1
        assert background.stalled() == ("hangs",)


async def test_a_store_that_is_away_is_no_stall() -> None:
    """An unavailable store is reported by its own check, not as a stall."""
    time = _Time()
    loop = _loop(_Work(*[Unavailable()] * 5), time)
    for _ in range(5):
        time.now += await loop.round()
    assert not loop.has_stalled


async def test_a_short_period_does_not_make_a_short_pause_a_stall() -> None:
    """A loop with a period of half a second may be late by a few seconds."""
    time = _Time()
    loop = Loop("short", _Work(), timedelta(seconds=0.5), lambda *_: None, time)
    time.now = PATIENCE.total_seconds()
    assert not loop.has_stalled
    time.now = PATIENCE.total_seconds() + 0.1
    assert loop.has_stalled


async def test_a_round_may_take_as_long_as_its_work_says() -> None:
    """A job may allow itself long rounds, such as deliveries to clients that hang."""
    time = _Time()
    background = Background(lambda *_: None, time, time.sleep)
    async with background.repeating("slow", asyncio.Event().wait, PERIOD, patience=timedelta(minutes=5)):
        time.now = 300.0
        assert background.stalled() == ()
        time.now = 300.1
        assert background.stalled() == ("slow",)
