"""A process compares its clock with PostgreSQL's, at start and every minute."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from aiohttp.test_utils import TestClient
from prometheus_client import REGISTRY

from services.discovery.app import mount
from shared.config.settings import Settings
from shared.live import clock
from shared.live.clock_skew import READY_WITHIN, WARNED_BEYOND, ClockSkew, skew
from shared.server.app import application
from shared.server.health import health
from tests.manual_time import ManualTime
from tests.planted import planted
from tests.planted.clocks import trusts_its_own_clock
from tests.served import Served

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("before", "theirs", "after", "seconds"),
    [(0, 0, 0, 0), (0, 5, 10, 0), (0, -7, 10, 7), (0, 17, 10, -7), (3600, 0, 3600, 3600)],
)
def test_a_slow_answer_is_no_skew(before: float, theirs: float, after: float, seconds: float) -> None:
    """The duration of a query does not count as skew."""
    assert skew(_at(before), _at(theirs), _at(after)) == seconds


@pytest.mark.parametrize("ahead", [WARNED_BEYOND, WARNED_BEYOND + 0.1, READY_WITHIN, READY_WITHIN + 0.1])
@pytest.mark.parametrize("sign", [1, -1])
async def test_a_small_skew_is_logged_and_a_large_one_is_not_ready(
    monkeypatch: pytest.MonkeyPatch, ahead: float, sign: int
) -> None:
    """Over five seconds a warning, over twenty not ready; the metric always."""
    observed: list[float] = []

    async def database_time() -> datetime:
        return NOON

    monkeypatch.setattr(clock, "now", lambda: _at(sign * ahead))
    clocks = ClockSkew(database_time, observed.append)
    with structlog.testing.capture_logs() as logs:
        await clocks.measure()
    assert observed == [pytest.approx(sign * ahead)]
    assert bool(logs) is (ahead > WARNED_BEYOND)
    assert (clocks.fault() is not None) is (ahead > READY_WITHIN)


def _shifted(seconds: float) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + timedelta(seconds=seconds)


@planted(trusts_its_own_clock)
@pytest.mark.usefixtures("world")
async def test_a_process_with_a_wrong_clock_is_not_ready(
    settings: Settings, manual_time: ManualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the start, and until the minute in which the clock is right again."""
    monkeypatch.setattr(clock, "now", _shifted(3600))
    async with TestClient(Served(application(settings, health(needs_postgresql=False), mount))) as client:
        response = await client.get("/readyz")
        assert (response.status, await response.text()) == (503, "not ready: clock\n")
        assert (REGISTRY.get_sample_value("ostiary_clock_skew_seconds") or 0) > 3500
        monkeypatch.setattr(clock, "now", _shifted(0))
        await manual_time.advance(60)
        assert (await client.get("/readyz")).status == 200
        monkeypatch.setattr(clock, "now", _shifted(-60))
        await manual_time.advance(60)
        assert (await client.get("/readyz")).status == 503
