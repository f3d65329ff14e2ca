"""The store of second factors: what is spent is spent for every process, and secrets are encrypted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from shared.model import User
from shared.oauth.authentication_methods import SecondFactor
from shared.store import NewSecondFactor, Taken, Unavailable
from tests.authenticator import Authenticator
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.passkeys import ORIGIN, add_passkey
from tests.planted import planted
from tests.planted.second_factors import (
    accepts_a_code_after_the_end,
    accepts_a_code_again,
    burns_codes_in_an_outage,
    keeps_recovery_codes,
    removes_without_waiting,
    spends_after_looking,
    stores_secrets_as_they_are,
)

NEW = NewSecondFactor(secret=b"12345678901234567890", step=100, recovery_hashes=("a" * 64, "b" * 64))
KEY = b"k" * 32


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment."""
    async with open_world(settings_for(database_url, redis_url)) as opened:
        yield opened


async def a_user(world: World, *, with_app: bool = True) -> UUID:
    """A user, with an authenticator app unless not *with_app*."""
    user_id = uuid4()
    await world.stores.users.add(User(user_id=user_id, username=f"ada-{user_id.hex}"), "hash")
    if with_app:
        await world.stores.second_factors.add(user_id, NEW)
    return user_id


async def _has_second_factor(world: World, user_id: UUID) -> bool:
    account = await world.stores.credentials.find_user_and_password(f"ada-{user_id.hex}")
    assert account
    assert account.second_factors == await world.stores.second_factors.of_user(user_id)
    return SecondFactor.APP in account.second_factors


async def test_a_user_has_one_app(world: World) -> None:
    """Of several that are added at once, one stays; the statement that finds the password knows of it."""
    user_id, factors = await a_user(world, with_app=False), world.stores.second_factors
    assert await factors.secret(user_id) is None
    assert not await _has_second_factor(world, user_id)
    outcomes = await asyncio.gather(*(factors.add(user_id, NEW) for _ in range(10)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [Taken] * 9
    assert await factors.secret(user_id) == NEW.secret
    assert await _has_second_factor(world, user_id)
    assert [each.kind for each in await world.stores.credentials.of_user(user_id)].count("recovery") == 1


async def test_nobody_has_none(world: World) -> None:
    """A user who is gone gets none."""
    await world.stores.second_factors.add(stranger := uuid4(), NEW)
    assert await world.stores.second_factors.secret(stranger) is None


@planted(accepts_a_code_again, spends_after_looking)
async def test_each_step_is_spent_once(world: World) -> None:
    """By fifty processes at once, too; a step before the latest one is spent with it."""
    user_id, factors = await a_user(world), world.stores.second_factors
    outcomes = await asyncio.gather(*(factors.spend_step(user_id, 101, uuid4().bytes) for _ in range(50)))
    assert outcomes.count(True) == 1
    assert not await factors.spend_step(user_id, 100, KEY)
    assert await factors.spend_step(user_id, 103, KEY)
    assert not await factors.spend_step(user_id, 102, KEY)


@planted(keeps_recovery_codes)
async def test_each_recovery_code_is_spent_once(world: World) -> None:
    """At once, too; the others stay, and other users' codes are none."""
    user_id, factors = await a_user(world), world.stores.second_factors
    other = await a_user(world)
    keys = [uuid4().bytes for _ in range(20)]
    outcomes = await asyncio.gather(*(factors.spend_recovery_code(user_id, "a" * 64, key) for key in keys))
    assert outcomes.count(True) == 1
    assert not await factors.spend_recovery_code(user_id, "c" * 64, KEY)
    assert await factors.spend_recovery_code(user_id, "b" * 64, KEY)
    assert await factors.spend_recovery_code(other, "a" * 64, KEY)
    rows = [row async for row in world.audit_rows() if row["event"] == "recovery_code_used"]
    used = [(row["user_id"], row["detail"]["remaining"]) for row in rows]
    assert used == [(user_id, 1), (user_id, 0), (other, 1)]


@planted(burns_codes_in_an_outage, accepts_a_code_after_the_end)
async def test_a_code_is_spent_for_one_session(world: World) -> None:
    """Repeatedly and at once, which is audited once, until the session has ended or another code is spent."""
    sign_in, factors = await world.sign_in(), world.stores.second_factors
    user_id, key = sign_in.user.user_id, await _key_of(world, sign_in.sid)
    await factors.add(user_id, NEW)
    acts: list[Callable[[bytes], Awaitable[bool]]] = [
        lambda key: factors.spend_step(user_id, 101, key),
        lambda key: factors.spend_recovery_code(user_id, "a" * 64, key),
    ]
    for spend in acts:
        assert await asyncio.gather(*(spend(key) for _ in range(20))) == [True] * 20
        assert not await spend(KEY)
    assert await world.audited("recovery_code_used") == 1
    await world.stores.sessions.end(sign_in.sid, "logout")
    assert [await spend(key) for spend in acts] == [False, False]
    assert await factors.spend_step(user_id, 102, KEY)
    assert not await factors.spend_step(user_id, 101, KEY)


async def _key_of(world: World, sid: UUID) -> bytes:
    row = await world.database.row("SELECT session_key FROM sessions WHERE sid = $1", sid)
    assert row
    return bytes(row["session_key"])


async def test_removal_is_complete_and_audited(world: World) -> None:
    """The app and its codes; then the user may add another one."""
    user_id, factors = await a_user(world), world.stores.second_factors
    assert await factors.remove(user_id)
    assert not await factors.remove(user_id)
    assert await factors.secret(user_id) is None
    assert not await factors.spend_step(user_id, 200, KEY)
    assert not await factors.spend_recovery_code(user_id, "b" * 64, KEY)
    assert [each.kind for each in await world.stores.credentials.of_user(user_id)] == ["password"]
    await factors.add(user_id, NEW)
    assert await factors.secret(user_id) == NEW.secret


@planted(stores_secrets_as_they_are)
async def test_secrets_are_encrypted_for_their_row(world: World, database_url: str, redis_url: str) -> None:
    """Under the first secret key; with another one a secret cannot be read, which is no verdict."""
    user_id = await a_user(world)
    rows = await world.stores.credentials.of_user(user_id)
    (totp,) = [row for row in rows if row.kind == "totp"]
    assert NEW.secret.hex() not in totp.data["secret"]
    settings = settings_for(database_url, redis_url)
    old = settings.secret_key[0]
    new = SecretStr("n" * 40)
    async with open_world(settings.model_copy(update={"secret_key": (new,)})) as strangers:
        with pytest.raises(Unavailable):
            await strangers.stores.second_factors.secret(user_id)
    async with open_world(settings.model_copy(update={"secret_key": (new, old)})) as both:
        assert await both.stores.second_factors.secret(user_id) == NEW.secret
        assert await both.stores.second_factors.rewrap() == 1
        assert await both.stores.second_factors.rewrap() == 0
    async with open_world(settings.model_copy(update={"secret_key": (new,)})) as renewed:
        assert await renewed.stores.second_factors.secret(user_id) == NEW.secret


@planted(removes_without_waiting)
async def test_of_removals_at_once_one_passkey_stays(world: World) -> None:
    """Each of two was not the last one when it was chosen. Several users: a race is lost by chance."""
    for _ in range(12):
        user_id = uuid4()
        await world.stores.users.add(User(user_id=user_id, username=f"ada-{user_id.hex}"), None)
        user = await world.stores.users.find(user_id)
        assert user
        added = [await add_passkey(world, user, Authenticator(ORIGIN)) for _ in range(6)]
        credentials = world.stores.credentials
        removals = [credentials.remove(user_id, each.credential_id, keeps_sign_in=True) for each in added]
        await asyncio.gather(*removals)
        assert len(await credentials.of_user(user_id)) == 1
