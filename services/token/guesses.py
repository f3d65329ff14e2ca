"""How many tokens a client may ask about that nobody has: counted here, and shared a little later.

What holds is answered all the same; an access token that has expired or is another's is no guess.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from aiohttp import web

from services.token.refusal import TooMany
from shared.store import Tallies, Unavailable
from shared.web.app import BACKGROUND, SETTINGS
from shared.web.resources import STORES

PERIOD = timedelta(minutes=1)
MOST = 300
"""Of one client in a period, at all processes together."""
ALONE = MOST // 4
"""Of one client in a period, at a process that hears nothing of the others."""
SHARED_EVERY = timedelta(seconds=0.1)


class Guesses:
    """What this process has counted in the present period, and what it has heard of the others."""

    def __init__(self, tallies: Tallies, *, is_on: bool) -> None:
        self._tallies = tallies
        self._is_on = is_on
        self._period = 0
        self._most = MOST
        self._shared: dict[str, int] = {}
        self._unshared: Counter[str] = Counter()

    def count(self, client_id: str, now: datetime) -> None:
        """A client has guessed. Raises TooMany, and then nothing is counted."""
        if not self._is_on:
            return
        if (period := int(now.timestamp() / PERIOD.total_seconds())) != self._period:
            self._period = period
            self._shared.clear()
            self._unshared.clear()
        if self._shared.get(client_id, 0) + self._unshared[client_id] >= self._most:
            raise TooMany("too many tokens that do not exist")
        self._unshared[client_id] += 1

    async def share(self) -> None:
        """Tell the other processes, and hear of them. Raises Unavailable: then this one is alone."""
        period, counts = self._period, +self._unshared
        if not counts:
            return
        try:
            totals = await self._tallies.add(f"guesses:{period}", counts, 2 * PERIOD)
        except Unavailable:
            self._most = ALONE
            raise
        self._most = MOST
        if period == self._period:
            self._shared.update(totals)
            self._unshared -= counts


GUESSES = web.AppKey("GUESSES", Guesses)


async def guesses(app: web.Application) -> AsyncIterator[None]:
    """GUESSES. Needs `stores`."""
    app[GUESSES] = counted = Guesses(app[STORES].tallies, is_on=app[SETTINGS].rate_limits)
    async with app[BACKGROUND].repeating("guesses", counted.share, SHARED_EVERY):
        yield
