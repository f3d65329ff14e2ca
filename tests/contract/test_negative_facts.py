"""Acknowledged negative facts are committed, even if the backend of their statement is killed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from shared.config.settings import Settings
from shared.live import clock
from shared.live.randomness import new_id
from shared.oauth.client.record import Client
from shared.operations.keys import KeyFault, retire_key
from shared.store import OutcomeUnknown, Unavailable
from shared.store.open import Stores, open_stores
from shared.store.postgres.transport import connection, database, transaction
from tests.builders import SignIn, World, an_attempt
from tests.deployment import open_world, settings_for
from tests.fault_proxy import FaultProxy, postgresql_proxy
from tests.planted import planted
from tests.planted.postgres import acknowledges_what_failed, confirms_nothing


@dataclass(frozen=True, slots=True)
class _Scene:
    """The records that exist before something ends."""

    settings: Settings
    sign_in: SignIn
    client: Client
    family_hash: bytes
    kid: str

    @property
    def grant_id(self) -> bytes:
        return self.family_hash[:16]


@dataclass(frozen=True, slots=True)
class Fact:
    """An end: the call, a part of its first statement, and a query for its result."""

    end: Callable[[Stores, _Scene], Awaitable[object]]
    needle: Callable[[_Scene], bytes]
    table: str  # whose lock halts the statement
    has_ended: str
    is_transaction: bool = False


def _user(scene: _Scene) -> bytes:
    return scene.sign_in.user.user_id.bytes


async def _retire(stores: Stores, scene: _Scene) -> None:
    with suppress(KeyFault):  # a repetition is told that there is no usable key of that name
        await retire_key(stores.keys, scene.kid, scene.settings, clock.now(), is_compromised=True)


FACTS = {
    "logout": Fact(
        lambda stores, scene: stores.sessions.end(scene.sign_in.sid, "logout"),
        lambda scene: scene.sign_in.sid.bytes,
        "sessions",
        "SELECT bool_and(ended_at IS NOT NULL) FROM sessions",
        is_transaction=True,
    ),
    "grant": Fact(
        lambda stores, scene: stores.refresh_families.revoke(
            scene.family_hash, scene.client.client_id, "revoked"
        ),
        lambda scene: scene.family_hash,
        "grants",
        "SELECT bool_and(revoked_at IS NOT NULL) FROM grants",
    ),
    "access token": Fact(
        lambda stores, scene: stores.grants.revoke_access_token(
            scene.sign_in.sid, clock.now() + timedelta(minutes=10), scene.client.client_id
        ),
        lambda scene: scene.sign_in.sid.bytes,
        "revoked_access_tokens",
        "SELECT count(*) = 1 FROM revoked_access_tokens",
    ),
    "user disabled": Fact(
        lambda stores, scene: stores.users.disable(scene.sign_in.user.user_id),
        _user,
        "users",
        "SELECT bool_and(disabled_at IS NOT NULL) FROM users",
        is_transaction=True,
    ),
    "password": Fact(
        lambda stores, scene: stores.credentials.set_password(scene.sign_in.user.user_id, "a hash"),
        _user,
        "users",
        "SELECT bool_and(epoch > 0) AND (SELECT count(*) = 1 FROM credentials) FROM users",
        is_transaction=True,
    ),
    "user deleted": Fact(
        lambda stores, scene: stores.users.delete(scene.sign_in.user.user_id),
        _user,
        "users",
        "SELECT count(*) = 0 FROM users",
        is_transaction=True,
    ),
    "client disabled": Fact(
        lambda stores, scene: stores.clients.disable(scene.client.client_id),
        lambda scene: scene.client.client_id.encode(),
        "clients",
        "SELECT bool_and(disabled_at IS NOT NULL) FROM clients",
    ),
    "client deleted": Fact(
        lambda stores, scene: stores.clients.delete(scene.client.client_id),
        lambda scene: scene.client.client_id.encode(),
        "clients",
        "SELECT bool_and(deleted_at IS NOT NULL) FROM clients",
    ),
    "key": Fact(
        _retire,
        lambda scene: scene.kid.encode(),
        "keys",
        "SELECT is_compromised FROM keys WHERE kid = '{kid}'",
        is_transaction=True,
    ),
}


async def _scene(world: World, settings: Settings) -> _Scene:
    await world.database.row("TRUNCATE users, clients, revoked_access_tokens CASCADE")
    client, sign_in = await world.client(), await world.sign_in()
    grant_id = new_id()
    family_hash = grant_id.bytes * 2
    code = await world.issued_code(sign_in.code(client.client_id))
    await world.stores.grants.redeem(
        an_attempt(grant_id), uuid4().bytes, code, clock.now() + timedelta(days=1), None
    )
    await world.database.row(
        """INSERT INTO refresh_families (family_hash, grant_id, client_id, current_hash, idle, expires_at)
        VALUES ($1, $2, $3, $1, interval '1 day', now() + interval '1 day')""",
        family_hash,
        grant_id,
        client.client_id,
    )
    key = next(key for key in await world.stores.keys.load() if key.alg == "ES256" and not key.is_compromised)
    return _Scene(settings, sign_in, client, family_hash, key.kid)


@asynccontextmanager
async def _acting(
    settings: Settings, folder: Path
) -> AsyncIterator[tuple[_Scene, Stores, FaultProxy, asyncpg.Connection]]:
    """The records, the stores with a proxy before them, and a connection to observe."""
    assert settings.database_url
    assert settings.redis_url
    database_url, redis_url = settings.database_url.get_secret_value(), settings.redis_url.get_secret_value()
    async with (
        open_world(settings) as world,
        postgresql_proxy(database_url, folder) as (proxy, url),
        open_stores(settings_for(url, redis_url)) as stores,
    ):
        scene = await _scene(world, settings)
        watcher = await asyncpg.connect(database_url)
        try:
            yield scene, stores, proxy, watcher
        finally:
            await watcher.close()


async def _end(stores: Stores, scene: _Scene, fact: Fact, watcher: asyncpg.Connection) -> None:
    """End something, and repeat it after each 503. An acknowledgement must be true at once."""
    for _ in range(5):
        try:
            await fact.end(stores, scene)
        except OutcomeUnknown:
            continue
        except Unavailable:
            assert not await watcher.fetchval(fact.has_ended.format(kid=scene.kid)), (
                "it ended, although nothing happened"
            )
            continue
        assert await watcher.fetchval(fact.has_ended.format(kid=scene.kid)), (
            "it was acknowledged, and has not ended"
        )
        return
    pytest.fail("it never ends")


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
async def test_a_statement_that_never_arrives_ends_nothing_and_is_not_acknowledged(
    fact: Fact, module_database_url: str, module_redis_url: str, tmp_path: Path
) -> None:
    """The backend is killed before the statement."""
    settings = settings_for(module_database_url, module_redis_url)
    async with _acting(settings, tmp_path) as (scene, stores, proxy, watcher):
        proxy.lose_answer_to(fact.needle(scene), is_delivered=False)
        await _end(stores, scene, fact, watcher)
        assert proxy.has_lost_it


@planted(acknowledges_what_failed)
@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
async def test_a_backend_that_is_killed_at_work_ends_nothing_and_is_not_acknowledged(
    fact: Fact, module_database_url: str, module_redis_url: str, tmp_path: Path
) -> None:
    """The backend is killed while it waits for a lock."""
    settings = settings_for(module_database_url, module_redis_url)
    async with _acting(settings, tmp_path) as (scene, stores, _, watcher):
        async with watcher.transaction():
            await watcher.execute(f"LOCK TABLE {fact.table}")
            ending = asyncio.create_task(_first_try(stores, scene, fact))
            while not await killed(watcher):
                if ending.done():  # it could not connect in time, or did not wait any longer
                    ending = asyncio.create_task(_first_try(stores, scene, fact))
                await asyncio.sleep(0.01)
        is_acknowledged = await ending
        assert not is_acknowledged or await watcher.fetchval(fact.has_ended.format(kid=scene.kid))
        await _end(stores, scene, fact, watcher)


_KILL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock'"""


async def killed(watcher: asyncpg.Connection) -> int:
    """Kill backends that wait for a lock. Returns their number."""
    await watcher.execute("SELECT pg_stat_clear_snapshot()")  # which the transaction would keep
    return int(await watcher.fetchval(_KILL))


async def _first_try(stores: Stores, scene: _Scene, fact: Fact) -> bool:
    """Whether the end was acknowledged."""
    try:
        await fact.end(stores, scene)
    except Unavailable:
        return False
    return True


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
async def test_a_commit_whose_answer_is_lost_holds_when_it_is_acknowledged(
    fact: Fact, module_database_url: str, module_redis_url: str, tmp_path: Path
) -> None:
    """The backend is killed after the commit: the repetition finds the end done."""
    settings = settings_for(module_database_url, module_redis_url)
    async with _acting(settings, tmp_path) as (scene, stores, proxy, watcher):
        proxy.lose_answer_to(b"COMMIT" if fact.is_transaction else fact.needle(scene))
        await _end(stores, scene, fact, watcher)
        assert proxy.has_lost_it


UNCHANGED = ("logout", "grant", "access token", "user deleted", "client disabled", "client deleted")
"""Facts whose repetition changes nothing. That of a key is refused, and a user who exists is locked."""


@asynccontextmanager
async def _without_standby(database_url: str) -> AsyncIterator[None]:
    """Commits wait for a synchronous standby that is gone."""
    operator = await asyncpg.connect(database_url)
    name = await operator.fetchval("SELECT quote_ident(current_database())")
    await operator.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    try:
        await _await_standby(operator, "SET synchronous_standby_names = 'ANY 1 (gone)'", is_waiting=True)
        yield
    finally:
        await _await_standby(operator, "RESET synchronous_standby_names", is_waiting=False)
        await operator.close()


async def _await_standby(operator: asyncpg.Connection, change: str, *, is_waiting: bool) -> None:
    """Change the server's configuration, and return when commits wait, or no longer do."""
    await operator.execute("SET synchronous_commit = local")
    await operator.execute(f"ALTER SYSTEM {change}")
    await operator.execute("SELECT pg_reload_conf()")
    await operator.execute("SET synchronous_commit = on")
    async with asyncio.timeout(60):
        while await _waits(operator) != is_waiting:
            pass


async def _waits(operator: asyncpg.Connection) -> bool:
    try:
        await operator.execute("SELECT pg_logical_emit_message(true, 'test', '')", timeout=0.2)
    except TimeoutError:
        return True
    return False


@planted(confirms_nothing)
@pytest.mark.parametrize("name", UNCHANGED)
async def test_what_no_standby_has_confirmed_is_not_acknowledged_when_it_is_repeated(
    name: str, database_url: str, module_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repetition changes nothing but still waits, and is acknowledged once the standby is back."""
    settings = settings_for(database_url, module_redis_url)
    async with open_world(settings) as world:
        scene = await _scene(world, settings)
    with monkeypatch.context() as patch:
        for module in (connection, database, transaction):
            patch.setattr(module, "PATIENCE", 0.5)
        async with open_stores(settings) as stores, _without_standby(database_url):
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await FACTS[name].end(stores, scene)
    async with open_stores(settings) as stores:
        await FACTS[name].end(stores, scene)
