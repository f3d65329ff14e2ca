"""Expired rows are deleted: flows without offline access leave nothing behind."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from services.worker.expiry import BATCH, TOKEN_LIFETIME, Expirer, growth, retentions
from shared.config.settings import Settings
from shared.live import clock
from shared.model import User
from shared.oauth.client.record import Client
from shared.operations.audit.chain import checkpoint_key
from shared.operations.audit.seal import seal_next
from shared.store import Expiring
from tests.builders import SignIn, World, a_client
from tests.deployment import TokenService, settings_for
from tests.planted import planted
from tests.planted.growth import lets_every_grant_live_a_year, removes_nothing

ONLINE = ("openid", "profile")
AT_ONCE = 4

_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_LIVE_ON = "UPDATE sessions SET expires_at = now() + interval '1 day' WHERE sid = $1"
_END_LONG_AGO = "UPDATE grants SET expires_at = now() - interval '1 year' WHERE sid = $1"
_MOMENTS = """
SELECT table_name, column_name FROM information_schema.columns
 WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'
   AND table_name IN ('sessions', 'grants', 'refresh_families', 'revoked_access_tokens', 'outbox', 'audit',
                      'audit_segments', 'change_counter')"""


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """A deployment of the test's own, for counting rows."""
    return settings_for(database_url, redis_url)


@pytest.fixture
def expirer(world: World, settings: Settings) -> Expirer:
    """The worker's."""
    return Expirer(world.stores.expiry, retentions(settings))


async def _counts(world: World) -> Counter[str]:
    tables = [row["relname"] for row in await world.database.rows(_TABLES)]
    counted = " UNION ALL ".join(f"SELECT '{table}' AS name, count(*) AS n FROM {table}" for table in tables)
    return Counter({row["name"]: row["n"] for row in await world.database.rows(counted)})


async def _pass(world: World, period: timedelta) -> None:
    """Let time pass, by moving all times into the past."""
    for row in await world.database.rows(_MOMENTS):
        table, column = row["table_name"], row["column_name"]
        async with world.database.transaction() as transaction:
            await transaction.extend(600)  # seconds, for any number of flows
            await transaction.execute(f"UPDATE {table} SET {column} = {column} - $1::interval", period)


async def _is_there(world: World, grant_id: UUID) -> bool:
    return await world.database.row("SELECT FROM grants WHERE grant_id = $1", grant_id) is not None


async def _grant_of(world: World, sid: UUID) -> UUID:
    row = await world.database.row("SELECT grant_id FROM grants WHERE sid = $1", sid)
    assert row
    grant_id: UUID = row["grant_id"]
    return grant_id


async def _flow(tokens: TokenService, user: User, client: Client, index: int) -> None:
    """A sign-in whose client gets an access token; some tokens are revoked, some users sign out."""
    sign_in = SignIn(user, await tokens.world.session(user))
    issued = await tokens.tokens(client, sign_in.code(client.client_id, scope=ONLINE))
    if index % 3 == 0:
        assert (await tokens.revoke(client, issued["access_token"])).status == 200
    if index % 3 == 1:
        await tokens.world.stores.sessions.end(sign_in.sid, "logout")


@planted(removes_nothing, lets_every_grant_live_a_year)
@pytest.mark.timeout(7200)
async def test_flows_without_offline_access_leave_nothing_behind(
    tokens: TokenService, settings: Settings, expirer: Expirer, flows: int
) -> None:
    """When lifetimes and retention have passed, every table is as large as before, within 1 %."""
    world = tokens.world
    user, client = await world.user(), await world.client(backchannel_logout_uri="https://rp1.test/logout")
    await expirer.work()
    before = await _counts(world)
    for start in range(0, flows, AT_ONCE):
        batch = range(start, min(start + AT_ONCE, flows))
        await asyncio.gather(*(_flow(tokens, user, client, index) for index in batch))
    await world.stores.clients.add(a_client("short-lived"))
    await world.stores.clients.delete("short-lived")
    for notice in await world.stores.outbox.list(flows):
        await world.stores.outbox.give_up(notice.notice_id, clock.now())
    grown = await _counts(world) - before
    assert grown["grants"] == grown["sessions"] == flows
    assert grown["audit"] > 2 * flows
    assert min(grown["outbox"], grown["revoked_access_tokens"], grown["changes"]) > 0
    await expirer.work()
    assert (await _counts(world) - before)["grants"] == flows, "nothing leaves before its time"
    for _ in range(3):  # a day each for the record of changes, then retention
        await _pass(world, timedelta(days=1, minutes=1))
        await expirer.work()
    await _pass(world, settings.expired_retention)
    await _settle(expirer)
    left = await _counts(world) - before
    assert left["grants"] + left["sessions"] + left["revoked_access_tokens"] + left["changes"] <= flows // 100
    while await seal_next(world.stores.audit_log, checkpoint_key(b"salt")):
        pass
    await _pass(world, settings.audit_retention)
    await _settle(expirer)
    left = await _counts(world) - before
    assert {table: n for table, n in left.items() if n > flows // 100} == {}


async def _settle(expirer: Expirer) -> None:
    """Run the worker until nothing is due."""
    for table, retention in expirer.retentions.items():
        while await expirer.expiry.remove(table, retention, BATCH):
            pass


async def test_a_grant_outlives_what_depends_on_it(
    tokens: TokenService, settings: Settings, expirer: Expirer
) -> None:
    """A refresh token that can be used, a session whose logout its client is told of, a code in flight."""
    world = tokens.world
    client = await world.client()
    offline, online, fresh = [await world.sign_in() for _ in range(3)]
    for sign_in, scope in ((offline, (*ONLINE, "offline_access")), (online, ONLINE)):
        await tokens.tokens(client, sign_in.code(client.client_id, scope=scope))
    await _pass(world, timedelta(days=30))
    await world.database.row(
        "UPDATE sessions SET expires_at = now() + interval '1 day' WHERE sid = $1", online.sid
    )
    await tokens.tokens(client, fresh.code(client.client_id, scope=ONLINE))
    await world.database.row(
        "UPDATE grants SET expires_at = now() - interval '1 year' WHERE sid = $1", fresh.sid
    )
    ids = [await _grant_of(world, sign_in.sid) for sign_in in (offline, online, fresh)]
    await expirer.work()
    assert [await _is_there(world, grant_id) for grant_id in ids] == [True, True, True]
    await world.database.row("UPDATE sessions SET ended_at = now() WHERE sid = $1", online.sid)
    await _pass(world, settings.expired_retention)
    await expirer.work()
    assert [await _is_there(world, grant_id) for grant_id in ids] == [True, False, False]


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE refresh_families SET revoked_at = now() WHERE grant_id = $1",
        "UPDATE refresh_families SET expires_at = now() WHERE grant_id = $1",
        "UPDATE refresh_families SET rotated_at = now() - idle WHERE grant_id = $1",
        "UPDATE grants SET revoked_at = now() WHERE grant_id = $1",
        "DELETE FROM refresh_families WHERE grant_id = $1",
    ],
    ids=["revoked", "expired", "idle", "grant revoked", "no family"],
)
async def test_a_grant_that_can_issue_nothing_ends_with_its_last_token(
    tokens: TokenService, settings: Settings, expirer: Expirer, end: str
) -> None:
    """A grant that can issue no token ends with its last token, not after a year."""
    world = tokens.world
    client, sign_in = await world.client(), await world.sign_in()
    await tokens.tokens(client, sign_in.code(client.client_id))
    grant_id = await _grant_of(world, sign_in.sid)
    await _pass(world, timedelta(hours=1))
    await world.database.row(end, grant_id)
    await expirer.work()
    await _pass(world, settings.expired_retention)
    await expirer.work()
    assert await _is_there(world, grant_id), "its last access token may not have expired"
    await _pass(world, TOKEN_LIFETIME + timedelta(minutes=1))
    await expirer.work()
    assert not await _is_there(world, grant_id)


async def test_every_long_lived_grant_is_examined(tokens: TokenService, expirer: Expirer) -> None:
    """A page at a time, also where many end at one moment."""
    world, expiry = tokens.world, tokens.world.stores.expiry
    client = await world.client()
    for _ in range(5):
        await tokens.tokens(client, (await world.sign_in()).code(client.client_id))
    await _pass(world, timedelta(hours=1))
    await world.database.row("UPDATE grants SET expires_at = now() + interval '300 days', revoked_at = now()")
    position, pages = await expiry.end_spent_grants(None, 2, TOKEN_LIFETIME), 1
    while position is not None:
        position, pages = await expiry.end_spent_grants(position, 2, TOKEN_LIFETIME), pages + 1
    assert pages >= 3
    row = await world.database.row(
        "SELECT count(*) AS n FROM grants WHERE expires_at > now() + interval '2 days'"
    )
    assert row
    assert row["n"] == 0


async def test_nothing_waits_for_a_locked_row(world: World, settings: Settings) -> None:
    """A locked row is left for the next round; the others are deleted."""
    user = await world.user()
    locked, free = await world.session(user), await world.session(user)
    await _pass(world, settings.expired_retention + timedelta(days=2))
    async with world.database.transaction() as connection:
        await connection.execute("SELECT FROM sessions WHERE sid = $1 FOR UPDATE", locked)
        await world.stores.expiry.remove(Expiring.SESSIONS, settings.expired_retention, BATCH)
    rows = await world.database.rows("SELECT sid FROM sessions WHERE sid = ANY($1)", [locked, free])
    assert [row["sid"] for row in rows] == [locked]


async def test_a_round_is_bounded(world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog takes several rounds, so that each ends and the loop is seen to work."""
    monkeypatch.setattr("services.worker.expiry.BATCH", 2)
    monkeypatch.setattr("services.worker.expiry.MAX_BATCHES", 3)
    await world.database.row(
        "INSERT INTO revoked_access_tokens SELECT gen_random_uuid(), now() - interval '1 year' "
        "FROM generate_series(1, 15)"
    )
    expirer, left = Expirer(world.stores.expiry, retentions(settings)), []
    for _ in range(3):
        await expirer.work()
        row = await world.database.row("SELECT count(*) AS n FROM revoked_access_tokens")
        assert row
        left.append(row["n"])
    assert left == [9, 3, 0]


async def test_growth_is_shown(world: World) -> None:
    """Rows and bytes of every table, as metrics."""
    await growth(world.stores.expiry).work()
    sizes = await world.stores.expiry.sizes()
    assert {*Expiring, "users", "clients"} <= sizes.keys()
    assert all(sizes[table].size > 0 for table in Expiring)
