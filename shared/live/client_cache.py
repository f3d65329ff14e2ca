"""The cache of clients: bounded in size, and as fresh as `Watch` guarantees."""

import asyncio
from collections import OrderedDict

from shared.live.watch import Watch
from shared.oauth.client.record import Client
from shared.store import Change, Clients

MAX_CLIENTS = 10_000
FORGOTTEN_AFTER = 3600.0  # seconds without a response from PostgreSQL


class ClientCache:
    """Caches clients for hot paths.

    Unknown clients are looked up each time, so strangers cannot fill the cache.
    """

    def __init__(self, clients: Clients, watch: Watch) -> None:
        self._clients = clients
        self._watch = watch
        self._kept: OrderedDict[str, Client] = OrderedDict()
        self._loading: dict[str, asyncio.Task[Client | None]] = {}
        self._generation = 0
        self._hits = self._misses = 0
        watch.add(self)

    async def changed(self, change: Change) -> None:
        if change.is_rewound or self._watch.age > FORGOTTEN_AFTER:  # the record of changes may have gaps
            self._kept.clear()
            self._loading.clear()
            self._generation += 1
        if change.client_ids:
            self._generation += 1  # a read that began before may be older than the change
        for client_id in change.client_ids:
            self._kept.pop(client_id, None)
            self._loading.pop(client_id, None)  # later callers must not share that read

    async def find(self, client_id: str) -> Client | None:
        """The client, disabled or not. Raises Unavailable."""
        return await self.cached(client_id) or await self.read(client_id)

    async def cached(self, client_id: str) -> Client | None:
        """The client if it is cached, without a query. Raises Unavailable."""
        await self._watch.fresh()
        if client := self._kept.get(client_id):
            self._kept.move_to_end(client_id)
            self._hits += 1
        else:
            self._misses += 1
        return client

    def lookups(self) -> dict[str, int]:
        """How often a client was in the cache when it was needed, and how often not."""
        return {"hit": self._hits, "miss": self._misses}

    def knows(self, client_id: str) -> bool:
        """Whether the client is cached or was found recently, without a query."""
        return client_id in self._kept

    async def read(self, client_id: str) -> Client | None:
        """The client as PostgreSQL has it now: one round trip, shared by concurrent callers.

        Raises Unavailable.
        """
        if (task := self._loading.get(client_id)) is None:
            task = self._loading[client_id] = asyncio.create_task(self._load(client_id))
        return await asyncio.shield(task)

    async def _load(self, client_id: str) -> Client | None:
        try:
            generation = self._generation
            client = await self._clients.find(client_id)
            if client and generation == self._generation:
                self._kept[client_id] = client
                if len(self._kept) > MAX_CLIENTS:
                    self._kept.popitem(last=False)
            return client
        finally:
            if self._loading.get(client_id) is asyncio.current_task():
                del self._loading[client_id]
