"""What counts against whom, without a store."""

from collections.abc import Mapping
from datetime import timedelta

from services.authorization.authentication.throttling import (
    ADDRESS,
    ADDRESS_UNDER_ATTACK,
    EVERYBODY,
    FAILED_SIGN_INS,
    USER,
    PasskeyThrottle,
    SignInAttempt,
    SignInThrottle,
)
from shared.live import clock
from shared.live.rate_limiter import RateLimiter
from shared.store import Pace
from tests.planted import planted
from tests.planted.throttling import guards_addresses_as_ever


class RecordedCounters:
    """Admits everything, and records what was counted at which pace."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, str, Pace]] = []

    async def attempt(self, name: str, key: str, pace: Pace) -> timedelta | None:
        self.counted.append((name, key, pace))
        return None

    async def take_back(self, name: str, key: str) -> None:
        raise NotImplementedError

    async def forget(self, name: str, key: str, pace: Pace) -> None:
        raise NotImplementedError


class NothingShared:
    async def add(self, name: str, counts: Mapping[str, int], lifetime: timedelta) -> Mapping[str, int]:
        raise NotImplementedError


def failures_of(count: int, key: str = EVERYBODY, *, is_on: bool = True) -> RateLimiter:
    """A limiter that has seen so many failures."""
    limiter = RateLimiter(NothingShared(), "failed_sign_ins", FAILED_SIGN_INS, is_on=is_on)
    limiter.count(key, clock.now(), count)
    return limiter


STRANGER = SignInAttempt("u1", "2001:db8::1:2:3:4")


@planted(guards_addresses_as_ever)
async def test_addresses_wait_sooner_while_many_sign_ins_fail() -> None:
    """Wherever they fail; the pace of a user stays, so that nobody is locked out."""
    for count, pace in ((FAILED_SIGN_INS.most - 1, ADDRESS), (FAILED_SIGN_INS.most, ADDRESS_UNDER_ATTACK)):
        counters = RecordedCounters()
        await SignInThrottle(counters, failures_of(count), "user", USER, True).admit(STRANGER)
        assert counters.counted == [("address", "2001:db8::/64", pace), ("user", "u1", USER)]


async def test_a_known_browser_counts_alone() -> None:
    """Neither for its user nor for its address, also under attack."""
    counters = RecordedCounters()
    throttle = SignInThrottle(counters, failures_of(FAILED_SIGN_INS.most), "user", USER, True)
    await throttle.admit(SignInAttempt("u1", "192.0.2.1", "b1"))
    assert counters.counted == [("user_known", "u1 b1", USER)]


async def test_nothing_is_counted_where_limits_are_off() -> None:
    """For load tests."""
    counters, failures = RecordedCounters(), failures_of(0, is_on=False)
    throttle = SignInThrottle(counters, failures, "user", USER, False)
    assert await throttle.admit(STRANGER) is None
    throttle.failed()
    assert counters.counted == []
    assert failures.is_empty


def test_refused_passkeys_count_for_their_address() -> None:
    """For the block of a subscriber, and for nobody else."""
    throttle = PasskeyThrottle(failures_of(FAILED_SIGN_INS.most - 1, "2001:db8::/64"))
    assert throttle.wait(STRANGER.address) is None
    throttle.failed(STRANGER.address)
    assert throttle.wait(STRANGER.address) is not None
    assert throttle.wait("2001:db8:0:1::1") is None
