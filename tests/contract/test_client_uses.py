"""Expiry of clients that registered themselves and were never used."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.worker.client_expiry import client_expiry
from shared.live import clock
from shared.model import Author
from shared.store import ClientFilter
from tests.builders import World, an_attempt
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.growth import deletes_and_marks_without_limit

A_MONTH = timedelta(days=30)


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment."""
    async with open_world(settings_for(database_url, redis_url)) as opened:
        yield opened


async def _old(world: World, client_id: str, **fields: bool) -> None:
    """A client that registered itself two months ago."""
    await world.client(client_id=client_id, **{"is_dynamically_registered": True, **fields})
    await world.database.row(
        "UPDATE clients SET created_at = now() - interval '60 days' WHERE client_id = $1", client_id
    )


async def _ids(world: World) -> set[str]:
    return {client.client_id for client in await world.stores.clients.list(None, 100)}


@pytest.mark.point(20)
async def test_only_what_registered_itself_long_ago_and_was_never_used_expires(world: World) -> None:
    """Young, operators', disabled and used clients stay."""
    sign_in = await world.sign_in()
    for client_id in ("unused", "marked", "granted", "consented"):
        await _old(world, client_id)
    await _old(world, "operators", is_dynamically_registered=False)
    await _old(world, "disabled")
    await world.stores.clients.disable("disabled")
    await world.client(client_id="young", is_dynamically_registered=True)
    await world.stores.client_uses.mark(["marked", "nobody"])
    await world.stores.grants.redeem(
        an_attempt(sign_in.sid),
        b"c" * 32,
        await world.issued_code(sign_in.code("granted")),
        clock.now() + A_MONTH,
        None,
    )
    await world.stores.consents.add(sign_in.user.user_id, "consented", ("openid",), is_remembered=True)
    assert await world.stores.client_uses.expire(A_MONTH) == ["unused"]
    assert await world.stores.client_uses.expire(A_MONTH) == []
    assert await _ids(world) == {"marked", "granted", "consented", "operators", "disabled", "young"}


async def test_a_use_is_remembered_when_its_grant_has_left(world: World) -> None:
    """Grants are deleted after their end, but the client stays marked as used."""
    sign_in = await world.sign_in()
    await _old(world, "granted")
    await world.stores.grants.redeem(
        an_attempt(sign_in.sid),
        b"c" * 32,
        await world.issued_code(sign_in.code("granted")),
        clock.now() + A_MONTH,
        None,
    )
    await world.stores.client_uses.expire(A_MONTH)
    await world.database.row("DELETE FROM grants")
    assert await world.stores.client_uses.expire(A_MONTH) == []


async def test_clients_without_a_token_are_found(world: World) -> None:
    """By the last mark, or the last grant; the date is that of the mark, or of the registration."""
    sign_in = await world.sign_in()
    for client_id in ("unused", "lately", "long ago", "granted", "deleted"):
        await _old(world, client_id, is_dynamically_registered=False)
    await world.client(client_id="young")
    await world.stores.client_uses.mark(["lately", "long ago"])
    await world.database.row(
        "UPDATE clients SET used_at = now() - interval '40 days' WHERE client_id = 'long ago'"
    )
    await world.stores.grants.redeem(
        an_attempt(sign_in.sid),
        b"c" * 32,
        await world.issued_code(sign_in.code("granted")),
        clock.now() + A_MONTH,
        None,
    )
    await world.stores.clients.delete("deleted")
    unused = await world.stores.client_uses.unused(A_MONTH)
    days = {client_id: (clock.now() - since).days for client_id, since in unused.items()}
    assert days == {"unused": 60, "long ago": 40}


async def test_an_expiry_is_told_and_audited_once(world: World) -> None:
    """Caches are notified, and there is an audit row."""
    await _old(world, "a")
    await _old(world, "b")
    before = (await world.stores.changes.since(0)).counter
    settings = settings_for("postgresql://x", "redis://x", unused_client_lifetime="30d")
    job = client_expiry(
        world.stores.client_uses, world.stores.client_documents, world.stores.initial_access_tokens, settings
    )
    await job.work()
    change = await world.stores.changes.since(before)
    assert (change.counter, set(change.client_ids)) == (before + 1, {"a", "b"})
    await job.work()
    assert await world.audited("client_expired") == 2
    assert (await world.stores.changes.since(0)).counter == before + 1


async def test_expired_initial_access_tokens_leave(world: World) -> None:
    """Only expired tokens are deleted."""
    tokens, now = world.stores.initial_access_tokens, clock.now()
    await tokens.add(b"o" * 32, 1, now - timedelta(seconds=1))
    await tokens.add(b"n" * 32, 1, now + timedelta(hours=1))
    assert [await tokens.delete_expired() for _ in range(2)] == [1, 0]
    rows = await world.database.rows("SELECT token_hash FROM initial_access_tokens")
    assert [row["token_hash"] for row in rows] == [b"n" * 32]


MANY = """
WITH many AS (SELECT n, 'c' || n AS client_id FROM generate_series(1, 600) AS n),
tokens AS (INSERT INTO initial_access_tokens (token_hash, uses_left, expires_at)
           SELECT decode(md5(client_id), 'hex'), 1, now() - interval '1 day' FROM many),
made AS (INSERT INTO clients (client_id, metadata, secrets, is_dynamically_registered, created_at, epoch,
                              first_epoch)
         SELECT client_id, '{}', '[]', true, now() - interval '60 days', 0, 0 FROM many RETURNING client_id)
INSERT INTO consents (user_id, client_id, scope, client_epoch)
SELECT $1, client_id, '{openid}', 0 FROM made"""


@planted(deletes_and_marks_without_limit)
async def test_no_statement_of_the_upkeep_touches_many_rows(world: World) -> None:
    """Rows are locked by a few hundred: the transactions that changed them are several."""
    sign_in = await world.sign_in()
    await world.database.row(MANY, sign_in.user.user_id)
    assert await world.stores.client_uses.expire(A_MONTH) == []
    row = await world.database.row("SELECT count(used_at) AS n, count(DISTINCT xmin::text) AS x FROM clients")
    assert row
    assert (row["n"], row["x"]) == (600, 2)
    tokens = world.stores.initial_access_tokens
    assert [await tokens.delete_expired() for _ in range(3)] == [500, 100, 0]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (ClientFilter(), {"app-1", "app-2", "other"}),
        (ClientFilter(text="APP"), {"app-1", "app-2"}),
        (ClientFilter(text="näme"), {"other"}),
        (ClientFilter(text="%"), set[str]()),
        (ClientFilter(text="a\0"), set[str]()),
        (ClientFilter(is_disabled=True), {"app-2"}),
        (ClientFilter(is_disabled=False), {"app-1", "other"}),
        (ClientFilter(is_dynamically_registered=True), {"other"}),
        (ClientFilter(is_dynamically_registered=False, text="app", is_disabled=False), {"app-1"}),
    ],
)
async def test_a_list_holds_the_clients_that_are_wanted(
    world: World, wanted: ClientFilter, found: set[str]
) -> None:
    """Clients are listed by a part of their name, and by their properties."""
    await world.client(client_id="app-1")
    await world.client(client_id="app-2")
    await world.client(client_id="other", client_name="Ein Näme", is_dynamically_registered=True)
    await world.stores.clients.disable("app-2")
    assert {client.client_id for client in await world.stores.clients.list(None, 10, wanted)} == found


async def test_a_delete_may_name_the_version_that_it_has_seen(world: World) -> None:
    """A client of another version is not deleted."""
    await world.client(client_id="c")
    assert not await world.stores.clients.delete("c", version=2)
    assert await world.stores.clients.delete("c", version=1, by=Author("somebody"))
    rows = [row async for row in world.audit_rows() if row["event"] == "client_deleted"]
    assert [row["detail"] for row in rows] == [{"by": "somebody"}]
