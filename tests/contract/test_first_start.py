"""The first start of `ostiary run`: the demo's records, and an empty Redis."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.config.settings import Settings
from shared.live import clock
from shared.oauth.claims import claims_of_scope, released
from shared.operations.first_start import DemoCredentials, prepare
from shared.store import Unavailable
from shared.store.open import Stores, open_stores
from shared.store.redis.transport.client import RedisClient
from tests.deployment import settings_for

NEWCOMER = DemoCredentials(
    username="demo",
    password="a long enough password",
    client_id="demo",
    client_secret="s" * 32,
    redirect_uris=("http://127.0.0.1/callback",),
)


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """The settings of a new deployment."""
    return settings_for(database_url, redis_url)


@pytest.fixture
async def stores(settings: Settings) -> AsyncIterator[Stores]:
    """Its empty stores."""
    async with open_stores(settings) as opened:
        yield opened


async def _start(stores: Stores, settings: Settings) -> None:
    await prepare(stores, settings, NEWCOMER)
    await stores.replay_marks.begin()  # as each service does


async def _is_new(stores: Stores, jti: str) -> bool:
    now = clock.now()
    return await stores.replay_marks.add("client_assertion", "client", jti, now, now + timedelta(minutes=1))


async def test_the_newcomers_user_has_every_standard_claim(stores: Stores, settings: Settings) -> None:
    """OpenID Connect Core 1.0 §5.1: the demo user has every standard claim."""
    await _start(stores, settings)
    user = await stores.users.find_by_name(NEWCOMER.username)
    assert user
    names = claims_of_scope(("profile", "email", "address", "phone"))
    assert set(released(user, names, {})) == set(names)


async def test_the_first_assertions_are_judged(stores: Stores, settings: Settings) -> None:
    """A new deployment has forgotten no `jti`, so the first assertion is accepted."""
    await _start(stores, settings)
    jti = uuid4().hex
    assert await _is_new(stores, jti)
    assert not await _is_new(stores, jti)


async def test_a_later_start_cannot_tell_what_an_empty_redis_forgot(
    stores: Stores, settings: Settings, redis_url: str
) -> None:
    """If only Redis is empty, a `jti` may have been used before, and is refused."""
    await _start(stores, settings)
    jti = uuid4().hex
    assert await _is_new(stores, jti)
    redis = RedisClient.open(redis_url)
    await redis.execute("FLUSHALL")
    await redis.close()
    await _start(stores, settings)
    with pytest.raises(Unavailable):
        await _is_new(stores, jti)
