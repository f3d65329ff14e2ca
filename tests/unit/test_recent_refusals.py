"""Refusals are collected before they are written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shared.oauth.refusal import Refusal
from shared.server.recent_refusals import MOST_AT_ONCE, MOST_CLIENTS, RecentRefusals
from shared.store import Unavailable
from tests.planted import planted
from tests.planted.refusals import every_refusal_is_written

REFUSAL = Refusal(at=datetime(2026, 11, 28, tzinfo=UTC), endpoint="/x", error="invalid_request", detail="a")


class _Written:
    """`Refusals` in memory, which a test can make unavailable."""

    def __init__(self) -> None:
        self.writes: list[Mapping[str, Sequence[Refusal]]] = []
        self.is_away = False

    async def add(self, refusals: Mapping[str, Sequence[Refusal]]) -> None:
        if self.is_away:
            raise Unavailable("away")
        self.writes.append(refusals)

    async def of_client(self, client_id: str) -> Sequence[Refusal]:
        return [refusal for write in self.writes for refusal in write.get(client_id, ())]


@planted(every_refusal_is_written)
async def test_a_storm_of_refusals_is_one_small_write() -> None:
    """Duplicates, refusals of one client, and clients are limited."""
    written = _Written()
    recent = RecentRefusals(written)
    for number in range(1000):
        recent.note("files", replace(REFUSAL, at=REFUSAL.at.replace(microsecond=number)))
    for number in range(1000):
        recent.note("mail", replace(REFUSAL, detail=str(number)))
    for number in range(2 * MOST_CLIENTS):
        recent.note(f"client-{number}", REFUSAL)
    await recent.flush()
    (write,) = written.writes
    assert write["files"] == [REFUSAL]
    assert [refusal.detail for refusal in write["mail"]] == [str(number) for number in range(MOST_AT_ONCE)]
    assert len(write) == MOST_CLIENTS


async def test_what_cannot_be_written_is_lost() -> None:
    """While Redis is down, refusals are dropped; later ones are written."""
    written = _Written()
    recent = RecentRefusals(written)
    written.is_away = True
    recent.note("files", REFUSAL)
    await recent.flush()
    written.is_away = False
    await recent.flush()
    recent.note("files", replace(REFUSAL, detail="b"))
    await recent.flush()
    assert [refusal.detail for refusal in await written.of_client("files")] == ["b"]
