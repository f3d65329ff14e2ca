"""The epoch of a client, with the real PostgreSQL: it is compared for everything that the client got."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest

from shared.live import clock
from shared.live.randomness import new_id
from shared.model import AuthorizationCode
from shared.oauth.client.record import Client
from shared.oauth.tokens.access_token import AccessToken
from shared.store import Taken
from shared.store.postgres.grants import PostgresGrants
from tests.builders import SCOPE, SignIn, World, a_client, an_attempt
from tests.contract.test_refresh_families import RefreshFamily, a_family
from tests.planted import planted
from tests.planted.growth import removes_a_client_at_once
from tests.planted.redemption import compares_no_client_epoch, keeps_the_epoch

End = Callable[[World, str], Awaitable[None]]
DAY = timedelta(days=1)


async def _revoke_grants(world: World, client_id: str) -> None:
    assert await world.stores.clients.revoke_grants(client_id)


async def _delete(world: World, client_id: str) -> None:
    assert await world.stores.clients.delete(client_id)


async def _delete_and_add(world: World, client_id: str) -> None:
    await _delete(world, client_id)
    await world.stores.clients.add(a_client(client_id))


ENDS = pytest.mark.parametrize("end", [_revoke_grants, _delete, _delete_and_add])


@dataclass(frozen=True, slots=True)
class IssuedCredentials:
    """What a client got: a family with its grant, an access token of its own, and a pending code."""

    family: RefreshFamily
    grant_id: UUID
    own: AccessToken
    code: AuthorizationCode


def _access_token(client: Client, grant_id: UUID | None) -> AccessToken:
    now = clock.now()
    return AccessToken(
        token_id=uuid4(),
        grant_id=grant_id,
        client_id=client.client_id,
        sub="anyone",
        scope=SCOPE,
        aud=(),
        iat=now,
        exp=now + DAY,
        client_epoch=None if grant_id else client.epoch,
    )


async def _current(world: World, client_id: str) -> Client:
    client = await world.stores.clients.find(client_id)
    assert client
    return client


async def _given(world: World) -> IssuedCredentials:
    family = await a_family(world)
    row = await world.database.row(
        "SELECT grant_id FROM refresh_families WHERE family_hash = $1", family.first.family_hash
    )
    assert row
    client = await _current(world, family.client.client_id)
    code = await world.issued_code((await world.sign_in()).code(client.client_id))
    return IssuedCredentials(family, row["grant_id"], _access_token(client, None), code)


async def _redeems(world: World, code: AuthorizationCode) -> bool:
    redeemed = await world.stores.grants.redeem(an_attempt(), uuid4().bytes, code, clock.now() + DAY, None)
    return redeemed is not None


@ENDS
@planted(compares_no_client_epoch)
async def test_what_a_client_was_given_is_over(world: World, end: End) -> None:
    """Access tokens, refresh tokens and pending codes become invalid."""
    given = await _given(world)
    client, families, first = given.family.client, world.stores.refresh_families, given.family.first
    token = _access_token(client, given.grant_id)
    assert await world.stores.grants.holds(token)
    assert await families.find(first.family_hash, first.hash, DAY)
    await end(world, client.client_id)
    assert not await world.stores.grants.holds(token)
    assert await world.stores.grants.find_user(token) is None
    assert await families.find(first.family_hash, first.hash, DAY) is None
    assert await families.use(first.family_hash, first.hash, client.client_id, None) is None
    assert await given.family.verdict(first) is None
    assert not await _redeems(world, given.code)


@pytest.mark.parametrize("end", [_revoke_grants, _delete_and_add])
async def test_what_it_is_given_afterwards_is_good(world: World, end: End) -> None:
    """New codes and front-channel grants work; old authorizations make no grant."""
    given = await _given(world)
    client_id, sign_in = given.family.client.client_id, await world.sign_in()
    old = given.code.authorization
    await end(world, client_id)
    assert await _redeems(world, await world.issued_code(sign_in.code(client_id)))
    new = await world.issued(sign_in.authorization(client_id))
    add, expires_at = world.stores.grants.add, clock.now() + DAY
    assert await add(new_id(), new, "https://rp1.test/cb", 0, expires_at)
    assert await add(new_id(), old, "https://rp1.test/cb", 0, expires_at) is None


@planted(keeps_the_epoch)
async def test_a_client_that_is_added_again_inherits_nothing(world: World) -> None:
    """A new client inherits no grants, codes, consents or own access tokens of a deleted one."""
    given = await _given(world)
    client_id, sign_in = given.family.client.client_id, given.family.sign_in
    user_id, consents = sign_in.user.user_id, world.stores.consents
    await consents.add(user_id, client_id, ("openid", "email"), is_remembered=True)
    assert await world.stores.grants.holds(given.own)
    await _delete_and_add(world, client_id)
    assert await consents.of_user(user_id) == []
    assert not await world.stores.grants.holds(given.own)
    assert await world.stores.grants.holds(_access_token(await _current(world, client_id), None))
    await consents.add(user_id, client_id, ("profile",), is_remembered=True)
    (has,) = await consents.of_user(user_id)
    assert has.scope == ("profile",)
    assert not await _redeems(world, given.code)


async def test_consents_and_own_tokens_stay_when_grants_are_revoked(world: World) -> None:
    """Consents stay, so that users are not asked again."""
    given = await _given(world)
    client_id, user_id = given.family.client.client_id, given.family.sign_in.user.user_id
    await world.stores.consents.add(user_id, client_id, ("openid",), is_remembered=True)
    await _revoke_grants(world, client_id)
    (has,) = await world.stores.consents.of_user(user_id)
    assert (has.scope, has.grants) == (("openid",), 0)
    assert await world.stores.grants.holds(given.own)


async def test_an_epoch_is_never_reused(world: World) -> None:
    """Epochs never repeat, however often clients are added, deleted and bumped."""
    client_id, epochs = f"c-{uuid4().hex}", []
    for _ in range(3):
        await world.stores.clients.add(a_client(client_id))
        epochs.append((await _current(world, client_id)).epoch)
        await _revoke_grants(world, client_id)
        epochs.append((await _current(world, client_id)).epoch)
        await _delete(world, client_id)
        while await world.stores.client_removals.remove(100):
            pass
    assert sorted(set(epochs)) == epochs


async def test_what_has_no_epoch_is_judged_as_at_the_migration(world: World) -> None:
    """A client of an earlier release has epoch 0 until its first bump."""
    client, sign_in = await world.client(), await world.sign_in()
    await world.database.row(
        "UPDATE clients SET epoch = 0, first_epoch = 0 WHERE client_id = $1", client.client_id
    )
    code = sign_in.code(client.client_id)
    assert await _redeems(world, code)
    await _revoke_grants(world, client.client_id)
    assert not await _redeems(world, code)


async def test_a_deleted_client_is_nowhere(world: World) -> None:
    """A deleted client is not found, listed, changed, disabled or deleted again; its id is free at once."""
    clients, client = world.stores.clients, await world.client()
    assert await clients.delete(client.client_id)
    assert await clients.find(client.client_id) is None
    assert client.client_id not in {listed.client_id for listed in await clients.list(None, 10_000)}
    for act in (clients.disable, clients.enable, clients.revoke_grants, clients.delete):
        assert not await act(client.client_id)
    await clients.add(a_client(client.client_id))
    with pytest.raises(Taken):
        await clients.add(a_client(client.client_id))
    assert await clients.find(client.client_id)


async def test_a_grant_in_flight_is_over_too(world: World) -> None:
    """A grant that is committed after the bump is invalid, and the bump does not wait for it."""
    client = await world.client()
    code = await world.issued_code((await world.sign_in()).code(client.client_id))
    grant_id = new_id()
    async with world.database.transaction() as connection:
        with patch.object(world.database, "row_idempotent", connection.fetchrow):
            in_flight = PostgresGrants(world.database)
            made = await in_flight.redeem(an_attempt(grant_id), uuid4().bytes, code, clock.now() + DAY, None)
            assert made
    await _revoke_grants(world, client.client_id)
    assert not await world.stores.grants.holds(_access_token(client, grant_id))


async def _count(world: World, table: str, client_id: str) -> int:
    row = await world.database.row(f"SELECT count(*) AS n FROM {table} WHERE client_id = $1", client_id)
    assert row
    return int(row["n"])


TABLES = ("grants", "consents", "outbox", "refresh_families", "client_removals", "clients")


@planted(removes_a_client_at_once)
@pytest.mark.parametrize("is_added_again", [True, False])
async def test_what_a_deleted_client_leaves_is_removed_in_batches(world: World, is_added_again: bool) -> None:
    """Several workers remove the records concurrently; those of a new client with the same id stay."""
    client = await world.client(backchannel_logout_uri="https://rp1.test/logout")
    sign_ins = [await world.sign_in() for _ in range(7)]

    async def give(sign_in: SignIn) -> None:
        await _redeems(world, await world.issued_code(sign_in.code(client.client_id)))
        await world.stores.consents.add(
            sign_in.user.user_id, client.client_id, ("openid",), is_remembered=True
        )

    for sign_in in sign_ins:
        await give(sign_in)
    await world.stores.sessions.end(sign_ins[0].sid, "logout")
    assert await _count(world, "outbox", client.client_id) == 1
    while await world.stores.client_removals.remove(1000):  # of the clients of other tests
        pass
    await _delete(world, client.client_id)
    if is_added_again:
        await world.stores.clients.add(a_client(client.client_id))
        await give(sign_ins[1])
    removed = [await world.stores.client_removals.remove(3)]
    assert 3 <= removed[0] <= 7

    async def remove() -> None:
        while await world.stores.client_removals.remove(3):
            pass

    await asyncio.gather(*(remove() for _ in range(3)))
    await remove()
    left = {table: await _count(world, table, client.client_id) for table in TABLES}
    stays = int(is_added_again)
    assert left == {**dict.fromkeys(TABLES, 0), "grants": stays, "consents": stays, "clients": stays}


async def test_grants_are_counted(world: World) -> None:
    """Only live grants are counted."""
    client = await world.client()
    for _ in range(3):
        code = (await world.sign_in()).code(client.client_id)
        await _redeems(world, await world.issued_code(code))
    assert await world.stores.grants.count_of_client(client.client_id) == 3
    await _revoke_grants(world, client.client_id)
    assert await world.stores.grants.count_of_client(client.client_id) == 0
