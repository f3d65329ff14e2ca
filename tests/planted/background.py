"""Defects of the loops that run in the background."""

import pytest

from shared.live.background import Background, Loop, Outcome
from shared.store import Misconfigured, Unavailable


def ends_with_the_first_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop survives nothing but a store that is away."""

    async def run(self: Background, loop: Loop) -> None:
        while True:
            try:
                await loop._work()
            except Misconfigured:
                raise
            except Unavailable:
                pass
            await self._sleep(loop._period)

    monkeypatch.setattr(Background, "_run", run)


def takes_a_defect_for_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that fails counts as completed."""

    def failed(self: Loop) -> float:
        outcome: Outcome = "failed"
        return self._completed(outcome)

    monkeypatch.setattr(Loop, "_failed", failed)
