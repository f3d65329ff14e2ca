"""Stored client secrets: hashes, with the encrypted value if it is needed."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from shared.config.settings import Settings
from shared.oauth.client.record import Client
from shared.oauth.client.secret import new_secret
from shared.store import Unavailable
from shared.store.open import open_stores
from tests.builders import World, a_client
from tests.deployment import SECRET_KEY, open_world, settings_for

VALUE = "canary-secret-of-more-than-thirty-two-characters"
OTHER_KEY = "o" * 32


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """A deployment of the test's own."""
    return settings_for(database_url, redis_url)


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    """Its stores."""
    async with open_world(settings) as opened:
        yield opened


def _client(method: str) -> Client:
    client = a_client(token_endpoint_auth_method=method, secrets=())
    return replace(client, secrets=(new_secret(client, VALUE),))


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
async def test_no_secret_is_stored_as_it_is(world: World, method: str) -> None:
    """Only clients whose method signs with the secret get its value."""
    client = _client(method)
    await world.stores.clients.add(client)
    row = await world.database.row(
        "SELECT clients::text AS whole FROM clients WHERE client_id = $1", client.client_id
    )
    assert row
    assert VALUE not in row["whole"]
    assert VALUE.encode().hex() not in row["whole"]
    assert VALUE not in repr(client)
    found = await world.stores.clients.find(client.client_id)
    assert found
    assert found.secrets == client.secrets
    assert found.secrets[0].value == (VALUE if method == "client_secret_jwt" else None)


async def test_a_ciphertext_belongs_to_its_client(world: World) -> None:
    """A value in another client's row cannot be decrypted."""
    one, two = _client("client_secret_jwt"), _client("client_secret_jwt")
    for client in (one, two):
        await world.stores.clients.add(client)
    await world.database.row(
        "UPDATE clients SET secrets = (SELECT secrets FROM clients WHERE client_id = $1)"
        " WHERE client_id = $2",
        one.client_id,
        two.client_id,
    )
    with pytest.raises(Unavailable):
        await world.stores.clients.find(two.client_id)


async def test_rewrapping_follows_the_secret_key(world: World, settings: Settings) -> None:
    """Both secret keys decrypt. After the rewrap the old one is not needed; rewrapped rows do not change."""
    client, plain = _client("client_secret_jwt"), _client("client_secret_basic")
    for each in (client, plain):
        await world.stores.clients.add(each)
    both = settings.model_copy(update={"secret_key": _keys(OTHER_KEY, SECRET_KEY)})
    async with open_stores(both) as stores:
        assert await stores.clients.find(client.client_id)
        assert await stores.clients.rewrap() == 1
        assert await stores.clients.rewrap() == 0
    async with open_stores(settings.model_copy(update={"secret_key": _keys(OTHER_KEY)})) as stores:
        found = await stores.clients.find(client.client_id)
        assert found
        assert found.secrets == client.secrets
    with pytest.raises(Unavailable):
        await world.stores.clients.find(client.client_id)
    assert await world.stores.clients.find(plain.client_id)


def _keys(*values: str) -> tuple[object, ...]:
    return Settings.model_validate({"secret_key": ",".join(values)}).secret_key
