"""Records which clients have received a token, in batches outside of requests.

If a process dies before it writes, the client's next token is recorded instead.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import structlog
from aiohttp import web

from shared.live import clock
from shared.oauth.client.record import Client
from shared.server.app import BACKGROUND
from shared.server.resources import STORES
from shared.store import CLIENT_USE_NOTED_EVERY, ClientUses, Unavailable

FLUSH_INTERVAL = timedelta(seconds=10)
MAX_WRITTEN = 10_000

logger = structlog.get_logger()


class UsedClients:
    """The clients that were used: those still to record, and those recorded within the last day."""

    def __init__(self, uses: ClientUses) -> None:
        self._uses = uses
        self._new: set[str] = set()
        self._written: set[str] = set()
        self._written_since = clock.monotonic()

    def note(self, client: Client) -> None:
        """Note that the client has received a token."""
        if client.client_id not in self._written:
            self._new.add(client.client_id)

    async def flush(self) -> None:
        """Record the new uses. Raises Unavailable, and then keeps them for the next call."""
        if clock.monotonic() - self._written_since >= CLIENT_USE_NOTED_EVERY.total_seconds():
            self._written.clear()
            self._written_since = clock.monotonic()
        if not self._new:
            return
        new = frozenset(self._new)
        await self._uses.mark(new)
        self._new -= new
        if len(self._written) > MAX_WRITTEN:
            self._written.clear()
        self._written |= new


USED_CLIENTS = web.AppKey("USED_CLIENTS", UsedClients)


async def used_clients(app: web.Application) -> AsyncIterator[None]:
    """USED_CLIENTS. Needs `stores`."""
    app[USED_CLIENTS] = uses = UsedClients(app[STORES].client_uses)
    async with app[BACKGROUND].repeating("client_uses", uses.flush, FLUSH_INTERVAL):
        yield
    try:
        await uses.flush()
    except Unavailable as fault:
        logger.warning("client_uses_lost", cause=str(fault))
