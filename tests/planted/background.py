"""Defects of the loops that run in the background."""

import pytest

from shared.live.background import Background, Loop, Outcome
from shared.live.client_cache import ClientCache
from shared.oauth.client.record import Client
from shared.store import Misconfigured, Unavailable


def ends_with_the_first_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop survives no exception but Unavailable."""

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


def judges_a_read_by_the_watch_s_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client cache compares the watch's counter, which changes after all watchers were notified."""

    async def load(self: ClientCache, client_id: str) -> Client | None:
        counter = self._watch.counter
        client = await self._clients.find(client_id)
        if client and counter == self._watch.counter:
            self._kept[client_id] = client
        self._loading.pop(client_id, None)
        return client

    monkeypatch.setattr(ClientCache, "_load", load)


def takes_a_defect_for_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that fails counts as completed."""

    def failed(self: Loop) -> float:
        outcome: Outcome = "failed"
        return self._completed(outcome)

    monkeypatch.setattr(Loop, "_failed", failed)
