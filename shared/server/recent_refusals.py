"""Stores the last refusals of registered clients for operators, without delaying requests.

They are collected in memory and written once a second, at most MOST_AT_ONCE different ones for each client.
So a stranger who names a client causes one write a second, however many requests are refused.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

from aiohttp import web

from shared.oauth.refusal import Refusal
from shared.server.app import BACKGROUND
from shared.server.metrics import count_event
from shared.server.resources import STORES
from shared.store import Refusals, Unavailable

FLUSH_INTERVAL = timedelta(seconds=1)
MOST_AT_ONCE = 10
MOST_CLIENTS = 1000

_Key = tuple[str, str, str]


class RecentRefusals:
    """Collects refusals that have not been written yet."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._pending: dict[str, dict[_Key, Refusal]] = {}

    def note(self, client_id: str, refusal: Refusal) -> None:
        """Collect a refusal, unless the same one or too many are already there."""
        if client_id not in self._pending and len(self._pending) >= MOST_CLIENTS:
            return
        of_client = self._pending.setdefault(client_id, {})
        if len(of_client) < MOST_AT_ONCE:
            of_client.setdefault((refusal.endpoint, refusal.error, refusal.detail), refusal)

    async def flush(self) -> None:
        """Write the new refusals. Those that Redis does not accept are lost; they are also in the log."""
        pending, self._pending = self._pending, {}
        try:
            await self._refusals.add({client_id: [*new.values()] for client_id, new in pending.items()})
        except Unavailable:
            count_event("refusals", "lost", sum(map(len, pending.values())))


RECENT_REFUSALS = web.AppKey("RECENT_REFUSALS", RecentRefusals)


async def recent_refusals(app: web.Application) -> AsyncIterator[None]:
    """RECENT_REFUSALS. Needs `stores`."""
    app[RECENT_REFUSALS] = recent = RecentRefusals(app[STORES].refusals)
    async with app[BACKGROUND].repeating("refusals", recent.flush, FLUSH_INTERVAL):
        yield
    await recent.flush()
