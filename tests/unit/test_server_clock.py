"""The estimate of PostgreSQL's clock."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.store import Unavailable
from shared.store.postgres.transport.server_clock import ServerClock

SERVER_TIME = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic time, which a test sets."""
    now = [1000.0]
    monkeypatch.setattr("shared.store.postgres.transport.server_clock.time.monotonic", lambda: now[0])
    return now


@pytest.mark.usefixtures("time")
def test_before_a_measurement_there_is_no_deadline() -> None:
    """Before a measurement, only the process's own clock counts."""
    assert ServerClock().deadline(1001.0) is None


def test_a_deadline_is_told_by_the_servers_clock(time: list[float]) -> None:
    """Whatever the difference between the clocks."""
    clock = ServerClock()
    clock.measured(999.99, SERVER_TIME)
    time[0] += 5
    assert clock.deadline(1009.99) == SERVER_TIME + timedelta(seconds=10)


def test_a_deadline_that_has_passed_is_unavailable(time: list[float]) -> None:
    """Nothing is sent to the server."""
    clock = ServerClock()
    clock.measured(time[0], SERVER_TIME)
    assert clock.deadline(time[0])
    with pytest.raises(Unavailable):
        clock.deadline(time[0] - 0.001)


def test_a_slow_measurement_counts_only_while_there_is_no_other(time: list[float]) -> None:
    """A slow measurement does not change a better estimate."""
    clock = ServerClock()
    clock.measured(time[0] - 3, SERVER_TIME)
    assert clock.deadline(time[0]) == SERVER_TIME + timedelta(seconds=3)
    clock.measured(time[0], SERVER_TIME)
    assert clock.deadline(time[0]) == SERVER_TIME
    clock.measured(time[0] - 3, SERVER_TIME)
    assert clock.deadline(time[0]) == SERVER_TIME


def test_the_last_measurement_counts(time: list[float]) -> None:
    """A server whose clock was set, or another server after a failover."""
    clock = ServerClock()
    for hours in (0, 1):
        clock.measured(time[0], SERVER_TIME + timedelta(hours=hours))
    assert clock.deadline(time[0]) == SERVER_TIME + timedelta(hours=1)
