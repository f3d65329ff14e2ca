"""Defects of a process's clock."""

import pytest

from shared.live.clock_skew import ClockSkew


def trusts_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process never compares its clock with PostgreSQL's."""

    async def measure(_: ClockSkew) -> None:
        pass

    monkeypatch.setattr(ClockSkew, "measure", measure)
