"""Defects of a process's clock."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.live import clock
from shared.live.clock_skew import ClockSkew


def trusts_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process never compares its clock with PostgreSQL's."""

    async def measure(_: ClockSkew) -> None:
        pass

    monkeypatch.setattr(ClockSkew, "measure", measure)


def is_an_hour_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of this process is an hour ahead of PostgreSQL's."""
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(hours=1))
