"""The store of personal access tokens: when they end, and how often their use is noted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from shared.model import User
from shared.oauth.tokens.handle import digest
from shared.operations.personal_access_tokens import (
    MAX_TOKENS,
    BadTokenRequest,
    NewToken,
    NoSuchToken,
    add_token,
    revoke_token,
)
from shared.store import Expiring, SignOutExemption, Stale
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.personal_access_tokens import a_token
from tests.planted import planted
from tests.planted.personal_access_tokens import (
    ends_with_every_password,
    gives_any_scope,
    makes_tokens_too_late,
    never_expires,
    notes_every_use,
    revokes_anybodys,
    survives_its_user,
)

Change = Callable[[World, User], Awaitable[object]]


@pytest_asyncio.fixture(scope="module")
async def world(module_database_url: str, module_redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment."""
    async with open_world(settings_for(module_database_url, module_redis_url)) as opened:
        yield opened


async def is_valid(world: World, made: NewToken) -> bool:
    """Whether the token is accepted."""
    return await world.stores.personal_access_tokens.present(digest(made.value)) is not None


async def pass_time(world: World, made: NewToken, period: timedelta) -> None:
    """Let the token be older."""
    await world.database.row(
        "UPDATE personal_access_tokens SET expires_at = expires_at - $2::interval, "
        "last_used_at = last_used_at - $2::interval WHERE token_id = $1",
        made.token.token_id,
        period,
    )


async def test_a_token_is_found_by_its_digest_alone(world: World) -> None:
    """With its user, and with their groups on request; the database does not hold the token."""
    user = await world.user(groups=("Staff",))
    made = await a_token(world, user, "openid groups")
    found = await world.stores.personal_access_tokens.present(digest(made.value), with_groups=True)
    assert found
    assert (found.token, found.user.username, found.user.groups) == (made.token, user.username, ("Staff",))
    row = await world.database.row("SELECT t::text AS shown FROM personal_access_tokens t")
    assert row
    assert made.value not in row["shown"]
    assert await world.stores.personal_access_tokens.present(digest("ostp_other")) is None
    assert await world.stores.personal_access_tokens.of_user(uuid4()) == []


async def _disable(world: World, user: User) -> None:
    await world.stores.users.disable(user.user_id)


async def _disable_and_enable(world: World, user: User) -> None:
    await world.stores.users.disable(user.user_id)
    await world.stores.users.enable(user.user_id)


async def _log_out(world: World, user: User) -> None:
    await world.stores.users.end_all(user.user_id)


async def _new_password(world: World, user: User) -> None:
    await world.stores.credentials.set_password(user.user_id, "hash")


async def _new_password_for_one(world: World, user: User) -> None:
    await world.stores.credentials.set_password(
        user.user_id, "hash", SignOutExemption(sid=await world.session(user))
    )


@planted(survives_its_user)
@pytest.mark.parametrize(
    "change",
    [_disable, _disable_and_enable, _log_out, _new_password, _new_password_for_one],
    ids=lambda change: change.__name__,
)
async def test_a_token_ends_with_everything_of_its_user(world: World, change: Change) -> None:
    """At once and for good; tokens of others go on."""
    user, other = await world.user(), await world.user()
    made, others = await a_token(world, user), await a_token(world, other)
    await change(world, user)
    assert not await is_valid(world, made)
    assert await world.stores.personal_access_tokens.of_user(user.user_id) == []
    assert await is_valid(world, others)


async def test_a_token_is_deleted_with_its_user(world: World) -> None:
    """No row of it is left."""
    user = await world.user()
    made = await a_token(world, user)
    await world.stores.users.delete(user.user_id)
    assert not await is_valid(world, made)
    row = await world.database.row("SELECT FROM personal_access_tokens WHERE user_id = $1", user.user_id)
    assert row is None


async def _keep_all(world: World, user: User) -> None:
    await world.stores.credentials.set_password(user.user_id, "hash", SignOutExemption())


async def _end_other_sessions(world: World, user: User) -> None:
    await world.stores.users.end_all(user.user_id, SignOutExemption(sid=uuid4(), has_offline_grants=True))


async def _disconnect(world: World, user: User) -> None:
    client = await world.client()
    await world.stores.consents.revoke(user.user_id, client.client_id)


@pytest.mark.parametrize(
    "change", [_keep_all, _end_other_sessions, _disconnect], ids=lambda change: change.__name__
)
async def test_a_token_goes_on_where_offline_access_does(world: World, change: Change) -> None:
    """A new password that keeps sessions, signing out other devices, disconnecting an application."""
    user = await world.user()
    made = await a_token(world, user)
    await change(world, user)
    assert await is_valid(world, made)


@planted(ends_with_every_password)
async def test_a_new_password_may_keep_tokens(world: World) -> None:
    """If the user keeps the sessions."""
    user = await world.user()
    made = await a_token(world, user)
    await _keep_all(world, user)
    assert await is_valid(world, made)


@planted(never_expires)
async def test_a_token_expires_and_is_removed(world: World) -> None:
    """It is inactive at its end, and leaves the database after the retention."""
    user = await world.user()
    made = await a_token(world, user, lifetime=timedelta(days=30))
    await pass_time(world, made, timedelta(days=30))
    assert not await is_valid(world, made)
    assert await world.stores.personal_access_tokens.of_user(user.user_id) == []
    retention = timedelta(days=7)
    assert await world.stores.expiry.remove(Expiring.PERSONAL_ACCESS_TOKENS, retention, 10) == 0
    await pass_time(world, made, retention + timedelta(minutes=1))
    assert await world.stores.expiry.remove(Expiring.PERSONAL_ACCESS_TOKENS, retention, 10) == 1


async def _uses(world: World, made: NewToken) -> int:
    """The number of times that the row was written: each changes its `xmin`."""
    row = await world.database.row(
        "SELECT xmin::text AS xmin FROM personal_access_tokens WHERE token_id = $1", made.token.token_id
    )
    assert row
    return int(row["xmin"])


@planted(notes_every_use)
async def test_a_use_is_noted_once_a_minute(world: World) -> None:
    """The first at once, and then none for a minute, however many processes present the token."""
    user = await world.user()
    made = await a_token(world, user)
    (listed,) = await world.stores.personal_access_tokens.of_user(user.user_id)
    assert listed.last_used_at is None
    await asyncio.gather(*(is_valid(world, made) for _ in range(10)))
    written = await _uses(world, made)
    assert await is_valid(world, made)
    assert await _uses(world, made) == written
    (listed,) = await world.stores.personal_access_tokens.of_user(user.user_id)
    assert listed.last_used_at is not None
    await pass_time(world, made, timedelta(minutes=1))
    written = await _uses(world, made)
    assert await is_valid(world, made)
    assert await _uses(world, made) != written


@planted(revokes_anybodys)
async def test_a_user_revokes_their_own_tokens(world: World) -> None:
    """And nobody else's. Both changes are audited, with the name and without the token."""
    user, other = await world.user(), await world.user()
    made, others = await a_token(world, user), await a_token(world, other)
    with pytest.raises(NoSuchToken):
        await revoke_token(world.stores.personal_access_tokens, user.user_id, others.token.token_id)
    assert await is_valid(world, others)
    await revoke_token(world.stores.personal_access_tokens, user.user_id, made.token.token_id)
    assert not await is_valid(world, made)
    with pytest.raises(NoSuchToken):
        await revoke_token(world.stores.personal_access_tokens, user.user_id, made.token.token_id)
    rows = await world.database.rows(
        "SELECT event, detail FROM audit WHERE user_id = $1 ORDER BY audit_id", user.user_id
    )
    events = [(row["event"], row["detail"].get("name")) for row in rows if "token" in row["event"]]
    name = made.token.name
    assert events == [("personal_access_token_added", name), ("personal_access_token_revoked", name)]


@planted(makes_tokens_too_late)
@pytest.mark.parametrize("change", [_disable, _log_out], ids=lambda change: change.__name__)
async def test_a_session_that_has_ended_makes_no_token(world: World, change: Change) -> None:
    """The epoch of the session is compared in the statement that adds the token."""
    user = await world.user()
    await change(world, user)
    with pytest.raises(Stale):
        await a_token(world, user)


@planted(gives_any_scope)
async def test_what_a_user_cannot_give_is_refused(world: World) -> None:
    """A scope that is not offered, a lifetime beyond the setting; nothing is added."""
    user = await world.user()
    with pytest.raises(BadTokenRequest, match="cannot have the scope"):
        await a_token(world, user, "openid ostiary.clients:write")
    assert await world.stores.personal_access_tokens.of_user(user.user_id) == []


async def test_a_lifetime_beyond_the_setting_is_refused(world: World) -> None:
    """The message names the limit."""
    with pytest.raises(BadTokenRequest, match="365 days"):
        await a_token(world, await world.user(), lifetime=timedelta(days=366))


async def test_a_user_has_a_limited_number(world: World) -> None:
    """The next one is refused until one has been revoked."""
    user = await world.user()
    made = [await a_token(world, user) for _ in range(MAX_TOKENS)]
    with pytest.raises(BadTokenRequest, match="at most"):
        await a_token(world, user)
    tokens = world.stores.personal_access_tokens
    await revoke_token(tokens, user.user_id, made[0].token.token_id)
    assert (await add_token(tokens, user.user_id, user.epoch, made[0].token)).value.startswith("ostp_")
