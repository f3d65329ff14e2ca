"""Keys in PostgreSQL: of many processes that start with an empty database, one creates the set."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from shared.live import clock
from shared.operations.keys import ensure_keys, keep_schedule, rotate_keys
from shared.store.migrate import migrate
from shared.store.open import open_stores
from tests.deployment import SECRET_KEY, settings_for


async def test_eight_processes_on_an_empty_database_make_one_key_set(
    database_url: str, redis_url: str
) -> None:
    """The processes have their own connections and run concurrently."""
    await migrate(database_url)
    settings = settings_for(database_url, redis_url)
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(open_stores(settings)) for _ in range(8)]
        made = await asyncio.gather(
            *(
                ensure_keys(each.keys, settings.signing_algorithms, SECRET_KEY, clock.now())
                for each in processes
            )
        )
        rows = await processes[0].keys.load()
    assert sorted(len(kids) for kids in made) == [0] * 7 + [8]
    assert sorted((row.alg, row.activates_at is None) for row in rows) == [
        ("A256GCMSIV", False),
        ("ES256", False),
        ("ES256", True),
        ("EdDSA", False),
        ("EdDSA", True),
        ("HMAC-SHA256", False),
        ("RS256", False),
        ("RS256", True),
    ]


@pytest.mark.point(3)
async def test_rotations_at_once_keep_one_next_key(database_url: str, redis_url: str) -> None:
    """Concurrent rotations run one after another."""
    await migrate(database_url)
    settings = settings_for(database_url, redis_url, signing_algorithms="RS256,ES256")
    async with open_stores(settings) as stores:
        await asyncio.gather(
            *(rotate_keys(stores.keys, settings, clock.now()) for _ in range(3)),
            *(keep_schedule(stores.keys, settings, clock.now()) for _ in range(3)),
        )
        rows = await stores.keys.load()
        change = await stores.changes.since(0)
    for alg in ("RS256", "ES256"):
        assert sum(row.alg == alg and row.activates_at is None for row in rows) == 1
        assert sum(row.alg == alg for row in rows) == 5
    assert change.has_keys
