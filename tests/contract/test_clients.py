"""The store of clients: fields, notifications, and concurrent changes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest

from shared.live import clock
from shared.oauth.client.record import ClientSecret
from shared.store import Stale, Taken, UsedUp
from shared.store.postgres.clients import _LIST_STARTABLE
from shared.store.postgres.transport.transaction import Transaction
from tests.builders import World, a_client
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.postgres import registers_under_the_counter, scans_all_clients


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment."""
    async with open_world(settings_for(database_url, redis_url)) as opened:
        yield opened


async def test_a_client_comes_back_as_it_was(world: World) -> None:
    """Every field, through the metadata's wire names."""
    client = a_client(
        "c",
        post_logout_redirect_uris=("https://rp1.test/out",),
        jwks={"keys": [{"kty": "OKP"}]},
        default_max_age=0,
        access_token_lifetime=timedelta(minutes=5),
        claims_mapping={"name": "username"},
        allowed_cors_origins=(),
        secrets=(ClientSecret(b"h" * 32, datetime(2030, 1, 1, tzinfo=UTC)), ClientSecret(b"i" * 32)),
        registration_access_token_hash=b"r" * 32,
        is_dynamically_registered=True,
    )
    await world.stores.clients.add(client)
    found = await world.stores.clients.find("c")
    assert found
    assert found.created_at
    assert replace(found, created_at=None, epoch=0) == client


@pytest.mark.parametrize("client_id", ["", "nobody", "a\0b", "\ud800"])
async def test_a_client_id_that_cannot_be_is_nobodys(world: World, client_id: str) -> None:
    """Text that PostgreSQL cannot store names no record, and is not an outage."""
    assert await world.stores.clients.find(client_id) is None


async def test_every_change_is_told_and_audited_and_what_changes_nothing_is_not(world: World) -> None:
    """The statement of a change notifies and audits, too."""
    clients, changes = world.stores.clients, world.stores.changes
    client = a_client("c")
    for step, is_change in (
        (clients.add(client), True),
        (clients.disable("c"), True),
        (clients.disable("c"), False),
        (clients.enable("c"), True),
        (clients.enable("nobody"), False),
        (clients.replace(replace(client, version=3)), True),
        (clients.delete("c"), True),
        (clients.delete("c"), False),
    ):
        before = (await changes.since(0)).counter
        await step
        change = await changes.since(before)
        assert change.counter - before == is_change
        assert change.client_ids == (("c",) if is_change else ())
    rows = [row async for row in world.audit_rows()]
    assert [row["event"] for row in rows if row["client_id"] == "c"] == [
        "client_added",
        "client_disabled",
        "client_enabled",
        "client_changed",
        "client_deleted",
    ]


async def test_a_client_id_is_taken_once(world: World) -> None:
    """One of many concurrent registrations gets a client_id."""
    results = await asyncio.gather(
        *(world.stores.clients.add(a_client("c")) for _ in range(10)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["NoneType", *["Taken"] * 9]
    assert any(isinstance(result, Taken) for result in results)


async def test_of_many_changes_of_one_version_one_is_kept(world: World) -> None:
    """RFC 7592's PUT never overwrites a change that it did not see."""
    await world.stores.clients.add(a_client("c"))
    results = await asyncio.gather(
        *(world.stores.clients.replace(a_client("c", client_name=str(each))) for each in range(10)),
        return_exceptions=True,
    )
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, Stale) for result in results) == 9


async def test_a_change_read_before_disabling_does_not_undo_it(world: World) -> None:
    """A disabled client stays disabled."""
    client = a_client("c")
    await world.stores.clients.add(client)
    await world.stores.clients.disable("c")
    with pytest.raises(Stale):
        await world.stores.clients.replace(client)
    found = await world.stores.clients.find("c")
    assert found
    assert found.disabled_at


async def test_an_initial_access_token_is_spent_as_often_as_it_says(world: World) -> None:
    """Concurrent uses are counted exactly."""
    tokens, later = world.stores.initial_access_tokens, clock.now() + timedelta(hours=1)
    await tokens.add(b"t" * 32, 5, later)
    add = world.stores.clients.add
    results = await asyncio.gather(
        *(add(a_client(f"c{number}"), initial_access_token=b"t" * 32) for number in range(20)),
        return_exceptions=True,
    )
    assert results.count(None) == 5
    assert all(isinstance(each, UsedUp) for each in results if each is not None)
    assert len(await world.stores.clients.list(None, 100)) == 5
    assert not await tokens.is_good(b"t" * 32)


async def test_an_expired_or_unknown_initial_access_token_is_not_good(world: World) -> None:
    """Expiry follows PostgreSQL's clock."""
    tokens, earlier = world.stores.initial_access_tokens, clock.now() - timedelta(seconds=1)
    await tokens.add(b"e" * 32, 5, earlier)
    for token_hash in (b"e" * 32, b"u" * 32):
        assert not await tokens.is_good(token_hash)
        with pytest.raises(UsedUp):
            await world.stores.clients.add(a_client(), initial_access_token=token_hash)


async def test_a_client_that_is_not_added_spends_no_initial_access_token(world: World) -> None:
    """The use is taken in the transaction that adds the client."""
    await world.stores.initial_access_tokens.add(b"o" * 32, 1, clock.now() + timedelta(hours=1))
    await world.stores.clients.add(a_client("c"))
    with pytest.raises(Taken):
        await world.stores.clients.add(a_client("c"), initial_access_token=b"o" * 32)
    assert await world.stores.initial_access_tokens.is_good(b"o" * 32)


async def test_a_lease_has_one_holder_until_it_ends(world: World) -> None:
    """The holder may renew a lease; another process gets it after it has expired."""
    leases, (one, other) = world.stores.leases, (uuid4(), uuid4())
    assert await leases.take("keys", one, timedelta(hours=1))
    assert not await leases.take("keys", other, timedelta(hours=1))
    assert await leases.take("keys", one, timedelta(seconds=-1))
    assert await leases.take("keys", other, timedelta(hours=1))
    assert not await leases.take("keys", one, timedelta(hours=1))


@planted(scans_all_clients)
async def test_the_start_page_reads_no_more_clients_than_it_shows(world: World) -> None:
    """An index has the clients at which a login can start, by name."""
    await world.database.row(
        """INSERT INTO clients (client_id, metadata, secrets)
           SELECT 'c' || i, jsonb_build_object('client_name', 'n' || i, 'initiate_login_uri', 'https://x.test/')
                  - CASE WHEN i % 2 = 0 THEN 'initiate_login_uri' ELSE 'nothing' END, '[]'
             FROM generate_series(1, 20000) i ON CONFLICT DO NOTHING"""
    )
    await world.database.row("ANALYZE clients")
    plan = "\n".join(row[0] for row in await world.database.rows(f"EXPLAIN {_LIST_STARTABLE}", 50))
    assert "clients_startable" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan
    assert len(await world.stores.clients.list_startable(50)) == 50


@planted(registers_under_the_counter)
async def test_a_registration_that_is_halted_keeps_nobody_from_changing_clients(world: World) -> None:
    """A process that stops during a registration does not block other changes."""
    client = await world.client()
    is_halted, may_go_on = asyncio.Event(), asyncio.Event()

    async def halt(*_: object) -> int:
        is_halted.set()
        await may_go_on.wait()
        return 0

    with patch.object(Transaction, "fetchval", halt):
        registering = asyncio.create_task(
            world.stores.clients.add(a_client(is_dynamically_registered=True), quota=5)
        )
        await is_halted.wait()
    try:
        assert await world.stores.clients.disable(client.client_id)
    finally:
        may_go_on.set()
        await asyncio.wait([registering])
        registering.exception()  # perhaps the server has ended it meanwhile
