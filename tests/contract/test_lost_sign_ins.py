"""A sign-in whose statement or answer is lost, and which the browser repeats with its old key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from shared.model import Session, User
from shared.store import Unavailable
from shared.store.open import Stores, open_stores
from tests.builders import SignIn, World
from tests.contract.test_negative_facts import killed
from tests.contract.test_outbox import a_listener, a_session, grant, told
from tests.deployment import settings_for
from tests.fault_proxy import FaultProxy, postgresql_proxy
from tests.planted import planted
from tests.planted.postgres import acknowledges_what_failed, forgets_a_sign_in

ADDRESS = "192.0.2.1"
BEFORE = ("none", "the same user's", "another user's")


@asynccontextmanager
async def _through_proxy(
    database_url: str, redis_url: str, folder: Path
) -> AsyncIterator[tuple[Stores, FaultProxy]]:
    async with (
        postgresql_proxy(database_url, folder) as (proxy, url),
        open_stores(settings_for(url, redis_url)) as stores,
    ):
        yield stores, proxy


async def _sign_in(stores: Stores, user: User, replaced_key: bytes | None) -> Session:
    """Begin a session, with a new key after each 503."""
    for _ in range(5):
        try:
            begun = await stores.sessions.begin(a_session(user), replaced_key, {"address": ADDRESS})
        except Unavailable:
            continue
        assert begun
        return begun
    pytest.fail("no session begins")


async def _lose(
    world: World, stores: Stores, proxy: FaultProxy, before: str, needle: bytes | None = None
) -> None:
    """Lose the answer to *needle*, or the statement itself. The result must be the same as without a loss."""
    user, other, client = await world.user(), await world.sign_in(), await a_listener(world)
    replaced = SignIn(user, await world.session(user)) if before == "the same user's" else other
    assert await grant(world, replaced, client)
    audited = await world.audited("signed_in")
    proxy.lose_answer_to(needle or user.user_id.bytes, is_delivered=needle is not None)
    begun = await _sign_in(stores, user, None if before == "none" else replaced.sid.bytes * 2)
    assert proxy.has_lost_it
    assert [row.sid for row in await world.stores.sessions.of_user(user.user_id)] == [begun.sid]
    assert (begun.sid == replaced.sid) == (before == "the same user's")
    assert await world.stores.sessions.find(begun.session_key) == begun
    assert await world.audited("signed_in") == audited + 1
    told_of = {(client.client_id, other.sid)} if before == "another user's" else set()
    assert {notice for notice in await told(world) if notice[0] == client.client_id} == told_of


@pytest.mark.parametrize("before", BEFORE)
async def test_a_sign_in_that_never_arrives_leaves_nothing(
    world: World, before: str, module_database_url: str, module_redis_url: str, tmp_path: Path
) -> None:
    """One session begins, with the browser's sid or a new one, and is audited once."""
    async with _through_proxy(module_database_url, module_redis_url, tmp_path) as (stores, proxy):
        await _lose(world, stores, proxy, before)


@planted(forgets_a_sign_in)
@pytest.mark.parametrize("before", BEFORE)
async def test_a_sign_in_whose_answer_is_lost_leaves_one_session(
    world: World, before: str, module_database_url: str, module_redis_url: str, tmp_path: Path
) -> None:
    """The browser gets the session whose beginning was not answered."""
    async with _through_proxy(module_database_url, module_redis_url, tmp_path) as (stores, proxy):
        await _lose(world, stores, proxy, before, ADDRESS.encode() if before == "none" else b"COMMIT")


@planted(acknowledges_what_failed)
@pytest.mark.parametrize("before", BEFORE[:2])
async def test_a_sign_in_whose_connection_is_killed_at_work_leaves_one_session(
    world: World, before: str, module_database_url: str
) -> None:
    """The statement waits for a row when its backend is terminated: nothing happened, and it begins again."""
    user = await world.user()
    before_sid = await world.session(user) if before == "the same user's" else None
    watcher = await asyncpg.connect(module_database_url)
    async with watcher.transaction():
        for table in ("users", "sessions"):
            await watcher.execute(f"SELECT FROM {table} WHERE user_id = $1 FOR UPDATE", user.user_id)
        signing_in = asyncio.create_task(
            _sign_in(world.stores, user, before_sid.bytes * 2 if before_sid else None)
        )
        async with asyncio.timeout(60):
            while not await killed(watcher):
                assert not signing_in.done()
                await asyncio.sleep(0.01)
    begun = await signing_in
    await watcher.close()
    assert [row.sid for row in await world.stores.sessions.of_user(user.user_id)] == [begun.sid]
    assert before_sid in (None, begun.sid)
