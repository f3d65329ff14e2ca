"""Cached records are trusted for one second, and stale reads are not cached."""

import asyncio

import pytest

from shared.live.client_cache import FORGOTTEN_AFTER, ClientCache
from shared.live.watch import TRUSTED_FOR, Watch
from shared.oauth.client.record import Client
from shared.store import Change, Unavailable
from tests.planted import planted
from tests.planted.background import judges_a_read_by_the_watch_s_counter


class _Database:
    """Clients and their change counter in memory, which a test can make unavailable or pause."""

    def __init__(self) -> None:
        self.counter = 1
        self.changed: dict[str, int] = {}
        self.clients = {"c": Client(client_id="c", client_name="old")}
        self.is_away = False
        self.reads = 0
        self.go = asyncio.Event()
        self.go.set()

    async def since(self, counter: int) -> Change:
        if self.is_away:
            raise Unavailable
        changed = tuple(name for name, at in self.changed.items() if at > counter)
        return Change(self.counter, changed, has_keys=False)

    async def find(self, client_id: str) -> Client | None:
        self.reads += 1
        read = self.clients.get(client_id)
        await self.go.wait()
        return read

    def rename(self, name: str) -> None:
        self.clients["c"] = Client(client_id="c", client_name=name)
        self.counter += 1
        self.changed["c"] = self.counter


class _Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


async def _name(cache: ClientCache) -> str:
    client = await cache.find("c")
    assert client is not None
    return client.client_name


def _cache() -> tuple[_Database, _Clock, Watch, ClientCache]:
    database, clock = _Database(), _Clock()
    watch = Watch(database, clock)
    return database, clock, watch, ClientCache(database, watch)  # type: ignore[arg-type]  # only what is asked


async def test_a_client_is_read_once_and_again_after_a_change() -> None:
    """The cache serves until the next poll reports a change."""
    database, _, watch, cache = _cache()
    assert [await _name(cache), await _name(cache)] == ["old", "old"]
    assert database.reads == 1
    database.rename("new")
    await watch.poll()
    assert await _name(cache) == "new"


async def test_nothing_is_trusted_longer_than_postgresql_was_asked() -> None:
    """A cached client is served for one second without a poll, then the answer is 503."""
    database, clock, _, cache = _cache()
    await cache.find("c")
    database.is_away = True
    clock.time = TRUSTED_FOR
    assert await _name(cache) == "old"
    clock.time = TRUSTED_FOR + 0.1
    with pytest.raises(Unavailable):
        await cache.find("c")


async def test_a_read_that_a_change_overtook_is_not_kept() -> None:
    """A read that began before a change and ended after its poll is not cached."""
    database, _, watch, cache = _cache()
    await watch.poll()
    database.go.clear()
    reading = asyncio.create_task(_name(cache))
    while database.reads == 0:
        await asyncio.sleep(0)
    database.rename("new")
    await watch.poll()
    database.go.set()
    assert await reading == "old"
    assert await _name(cache) == "new"


class _SlowWatcher:
    """A watcher that takes as long as the test wants, like the key ring while it loads keys."""

    def __init__(self) -> None:
        self.is_told = asyncio.Event()
        self.go = asyncio.Event()

    async def changed(self, _: Change) -> None:
        self.is_told.set()
        await self.go.wait()


@planted(judges_a_read_by_the_watch_s_counter)
async def test_a_read_that_ends_within_the_poll_that_overtook_it_is_not_kept() -> None:
    """A client and the keys changed in one poll, and the keys are still being loaded."""
    database, _, watch, cache = _cache()
    await watch.poll()
    database.go.clear()
    reading = asyncio.create_task(_name(cache))
    while database.reads == 0:
        await asyncio.sleep(0)
    keys = _SlowWatcher()
    watch.add(keys)
    database.rename("new")
    polling = asyncio.create_task(watch.poll())
    await keys.is_told.wait()
    database.go.set()
    assert await reading == "old"
    keys.go.set()
    await polling
    assert await _name(cache) == "new"


async def test_a_watcher_that_fails_hears_of_the_change_again() -> None:
    """A change is not confirmed before all watchers have handled it."""
    database, clock, watch, cache = _cache()
    await cache.find("c")
    told: list[Change] = []

    class _Failing:
        async def changed(self, change: Change) -> None:
            told.append(change)
            if len(told) == 1:
                raise RuntimeError("a key cannot be unwrapped")

    watch.add(_Failing())
    database.rename("new")
    clock.time = TRUSTED_FOR + 0.1
    with pytest.raises(Unavailable):
        await cache.find("c")
    assert await _name(cache) == "new"
    assert told[0] == told[1]


async def test_of_many_readers_at_once_one_asks() -> None:
    """Single flight."""
    database, _, watch, cache = _cache()
    await watch.poll()
    await asyncio.gather(*(cache.find("c") for _ in range(50)))
    assert database.reads == 1


async def test_an_unknown_client_is_not_kept() -> None:
    """Unknown clients are not cached, so a new client is found at once."""
    database, _, watch, cache = _cache()
    await watch.poll()
    assert await cache.find("x") is None
    database.clients["x"] = Client(client_id="x")
    assert await cache.find("x") is not None


async def test_a_database_that_was_restored_empties_the_cache() -> None:
    """If the counter decreases, caches are emptied, as they may be newer than the database."""
    database, _, watch, cache = _cache()
    database.counter = 7
    await watch.poll()
    await cache.find("c")
    database.clients["c"] = Client(client_id="c", client_name="restored")
    database.counter = 5
    await watch.poll()
    assert await _name(cache) == "restored"
    assert watch.counter == 5


async def test_after_a_long_silence_nothing_is_kept() -> None:
    """The record of a client that was deleted meanwhile may be gone."""
    database, clock, watch, cache = _cache()
    await watch.poll()
    await cache.find("c")
    del database.clients["c"]
    database.counter += 1  # and what it was raised for has been removed
    clock.time = FORGOTTEN_AFTER + 1
    assert await cache.find("c") is None
