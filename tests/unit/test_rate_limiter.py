"""The rate limiter: limits, sharing between processes, and bounded memory."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from shared.live.rate_limiter import MAX_KEYS, Rate, RateLimiter
from shared.store import Unavailable

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 28, 12, 0, 15, tzinfo=UTC)
RATE = Rate(most=8, period=MINUTE)


class MemorySharedCounts:
    """`SharedCounts` in memory, which a test can make unavailable."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.calls = 0
        self.is_away = False

    async def add(self, name: str, counts: Mapping[str, int], lifetime: timedelta) -> Mapping[str, int]:
        self.calls += 1
        if self.is_away:
            raise Unavailable("away")
        for key, count in counts.items():
            self.counts[name, key] += count
        return {key: self.counts[name, key] for key in counts}


@pytest.fixture
def shared_counts() -> MemorySharedCounts:
    return MemorySharedCounts()


@pytest.fixture
def limiter(shared_counts: MemorySharedCounts) -> RateLimiter:
    return RateLimiter(shared_counts, "test", RATE, is_on=True)


def _taken(limiter: RateLimiter, key: str, times: int, now: datetime = NOW) -> int:
    return sum(limiter.take(key, now) is None for _ in range(times))


def test_a_key_within_its_rate_does_not_wait(limiter: RateLimiter) -> None:
    """Above the limit, a key waits until the period ends; other keys do not."""
    assert _taken(limiter, "a", 20) == RATE.most
    assert limiter.wait("a", NOW) == timedelta(seconds=45)
    assert limiter.wait("b", NOW) is None


def test_a_new_period_begins_at_nothing(limiter: RateLimiter) -> None:
    """A new period starts from zero."""
    _taken(limiter, "a", 20)
    assert limiter.wait("a", NOW + MINUTE) is None
    assert limiter.is_empty


def test_an_amount_counts_for_as_many(limiter: RateLimiter) -> None:
    """One event of eight is as good as eight events."""
    assert limiter.take("a", NOW, RATE.most) is None
    assert limiter.take("a", NOW)


def test_a_limiter_that_is_off_counts_nothing(shared_counts: MemorySharedCounts) -> None:
    """`OSTIARY_RATE_LIMITS=off`."""
    limiter = RateLimiter(shared_counts, "test", RATE, is_on=False)
    assert _taken(limiter, "a", 20) == 20
    assert limiter.is_empty


async def test_processes_add_up(shared_counts: MemorySharedCounts, limiter: RateLimiter) -> None:
    """After both have shared, neither allows more than what is left for all."""
    other = RateLimiter(shared_counts, "test", RATE, is_on=True)
    _taken(limiter, "a", 5)
    _taken(other, "a", 2)
    await limiter.share()
    await other.share()
    assert _taken(other, "a", 20) == 1


async def test_nothing_new_is_no_round_trip(shared_counts: MemorySharedCounts, limiter: RateLimiter) -> None:
    """Counts are read from Redis once."""
    await limiter.share()
    assert shared_counts.calls == 0
    limiter.count("a", NOW)
    await limiter.share()
    await limiter.share()
    assert shared_counts.calls == 1


async def test_what_is_counted_during_a_share_is_shared_next(
    shared_counts: MemorySharedCounts, limiter: RateLimiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, and nothing counts twice."""
    add = shared_counts.add

    async def add_slowly(name: str, counts: Mapping[str, int], lifetime: timedelta) -> Mapping[str, int]:
        limiter.count("a", NOW)
        return await add(name, counts, lifetime)

    limiter.count("a", NOW)
    with monkeypatch.context() as patched:
        patched.setattr(shared_counts, "add", add_slowly)
        await limiter.share()
    await limiter.share()
    assert set(shared_counts.counts.values()) == {2}
    assert _taken(limiter, "a", 20) == RATE.most - 2


async def test_a_period_that_ended_during_a_share_changes_nothing_in_the_next(
    shared_counts: MemorySharedCounts, limiter: RateLimiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Totals of the previous period are not used."""
    add = shared_counts.add

    async def add_late(name: str, counts: Mapping[str, int], lifetime: timedelta) -> Mapping[str, int]:
        limiter.wait("a", NOW + MINUTE)
        return await add(name, counts, lifetime)

    _taken(limiter, "a", RATE.most)
    monkeypatch.setattr(shared_counts, "add", add_late)
    await limiter.share()
    assert _taken(limiter, "a", 20, NOW + MINUTE) == RATE.most


async def test_a_process_on_its_own_allows_a_quarter(
    shared_counts: MemorySharedCounts, limiter: RateLimiter
) -> None:
    """While Redis is down, a reduced rate applies; afterwards, the full rate."""
    shared_counts.is_away = True
    limiter.count("b", NOW)
    with pytest.raises(Unavailable):
        await limiter.share()
    assert _taken(limiter, "a", 20) == RATE.alone
    shared_counts.is_away = False
    await limiter.share()
    assert _taken(limiter, "a", 20) == RATE.most - RATE.alone


async def test_strangers_fill_no_memory(shared_counts: MemorySharedCounts, limiter: RateLimiter) -> None:
    """A process remembers so many keys and shares so many in a period, however many come."""
    for batch in range(3):
        for number in range(MAX_KEYS):
            limiter.count(f"{batch} {number}", NOW)
        await limiter.share()
    limiter.count("one more", NOW)
    await limiter.share()
    assert len(shared_counts.counts) == MAX_KEYS
    assert len(limiter._totals) <= MAX_KEYS
    assert len(limiter._unshared) <= MAX_KEYS
