"""`Grants` with the real PostgreSQL: one redemption for each code, and state compared at use."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from shared.live import clock
from shared.live.randomness import new_id
from shared.model import AuthorizationCode, ClaimsRequest
from shared.oauth.client.record import Client
from shared.oauth.tokens.access_token import AccessToken
from shared.oauth.tokens.handle import digest
from shared.store import Redeemed
from tests.builders import SCOPE, SignIn, World, an_attempt

NOTHING = UUID(int=0)

Change = Callable[[World, SignIn, Client], Awaitable[None]]


def _expiry(days: int = 365) -> datetime:
    return clock.now() + timedelta(days=days)


async def _redeem(world: World, code_hash: bytes, code: AuthorizationCode, grant_id: UUID) -> Redeemed | None:
    return await world.stores.grants.redeem(
        an_attempt(grant_id), code_hash, await world.issued_code(code), _expiry(), None
    )


def _access_token(client_id: str, grant_id: UUID | None) -> AccessToken:
    now = clock.now().replace(microsecond=0)
    return AccessToken(
        token_id=uuid4(),
        grant_id=grant_id,
        client_id=client_id,
        sub="anyone",
        scope=SCOPE,
        aud=(),
        iat=now,
        exp=now + timedelta(minutes=10),
    )


async def _disable_user(world: World, sign_in: SignIn, _: Client) -> None:
    await world.stores.users.disable(sign_in.user.user_id)


async def _raise_epoch(world: World, sign_in: SignIn, _: Client) -> None:
    await world.stores.users.end_all(sign_in.user.user_id)


async def _delete_user(world: World, sign_in: SignIn, _: Client) -> None:
    await world.stores.users.delete(sign_in.user.user_id)


async def _end_session(world: World, sign_in: SignIn, _: Client) -> None:
    await world.end_session(sign_in.sid)


async def _disable_client(world: World, _: SignIn, client: Client) -> None:
    await world.stores.clients.disable(client.client_id)


async def _holds(world: World, token: AccessToken) -> bool:
    """Whether an access token of a grant is valid, by both statements."""
    holds = await world.stores.grants.holds(token)
    assert (await world.stores.grants.find_user(token) is not None) == holds
    return holds


async def test_a_code_is_redeemed_once(world: World) -> None:
    """A second redemption is a replay, and revokes the grant of the first."""
    client, sign_in = await world.client(), await world.sign_in()
    code, code_hash, first, second = sign_in.code(client.client_id), uuid4().bytes, new_id(), new_id()
    mine = await _redeem(world, code_hash, code, first)
    assert mine is not None
    assert (mine.grant_id, mine.is_mine, mine.user.username) == (first, True, sign_in.user.username)
    token = _access_token(client.client_id, first)
    assert await _holds(world, token)
    replayed = await _redeem(world, code_hash, code, second)
    assert replayed is not None
    assert (replayed.grant_id, replayed.is_mine) == (first, False)
    assert not await _holds(world, token)


async def test_the_same_redemption_may_be_sent_again(world: World) -> None:
    """After a lost answer, the repeated statement changes nothing and is audited once."""
    client, sign_in = await world.client(), await world.sign_in()
    code, code_hash, grant_id = sign_in.code(client.client_id), uuid4().bytes, new_id()
    before = await world.audited("grant_made")
    for _ in range(3):
        redeemed = await _redeem(world, code_hash, code, grant_id)
        assert redeemed is not None
        assert redeemed.is_mine
    assert await world.audited("grant_made") == before + 1
    await _redeem(world, code_hash, code, new_id())
    again = await _redeem(world, code_hash, code, grant_id)
    assert again is not None
    assert not again.is_mine


async def test_a_replay_is_audited(world: World) -> None:
    """A replay has an audit row."""
    client, sign_in = await world.client(), await world.sign_in()
    code, code_hash, before = (
        sign_in.code(client.client_id),
        uuid4().bytes,
        await world.audited("code_replayed"),
    )
    for _ in range(2):
        await _redeem(world, code_hash, code, new_id())
    assert await world.audited("code_replayed") == before + 1


async def test_a_grant_remembers_its_code(world: World) -> None:
    """The grant remembers its code, so that replays are checked even if Redis has forgotten it."""
    client, sign_in = await world.client(), await world.sign_in()
    code, code_hash, grant_id = sign_in.code(client.client_id), digest(uuid4().hex), new_id()
    assert await world.stores.grants.find_spent(code_hash) is None
    await _redeem(world, code_hash, code, grant_id)
    spent = await world.stores.grants.find_spent(code_hash)
    assert spent is not None
    assert (spent.grant_id, spent.client_id) == (grant_id, client.client_id)
    assert (spent.redirect_uri, spent.code_challenge) == (code.redirect_uri, code.code_challenge)


@pytest.mark.parametrize("change", [_disable_user, _raise_epoch, _delete_user, _end_session])
async def test_a_code_of_an_ended_sign_in_gives_nothing(world: World, change: Change) -> None:
    """A code is invalid if the user was disabled, deleted or signed out after it was issued."""
    client, sign_in = await world.client(), await world.sign_in()
    await change(world, sign_in, client)
    assert await _redeem(world, uuid4().bytes, sign_in.code(client.client_id), new_id()) is None


@pytest.mark.parametrize("change", [_disable_user, _raise_epoch, _delete_user, _end_session, _disable_client])
@pytest.mark.parametrize("scope", [("openid",), ("openid", "offline_access"), ("openid", "offline")])
async def test_an_access_token_is_held_against_everything(
    world: World, change: Change, scope: tuple[str, ...]
) -> None:
    """The end of a browser session ends every grant except offline ones; other ends revoke all."""
    client, sign_in = await world.client(), await world.sign_in()
    claims = ClaimsRequest(userinfo={"email": {"essential": True}})
    grant_id, code = new_id(), sign_in.code(client.client_id, scope=scope, claims=claims)
    await _redeem(world, uuid4().bytes, code, grant_id)
    token = _access_token(client.client_id, grant_id)
    token_user = await world.stores.grants.find_user(token)
    assert token_user is not None
    assert token_user.user.user_id == sign_in.user.user_id
    assert token_user.requested == claims.userinfo
    await change(world, sign_in, client)
    survives = change is _end_session and len(scope) > 1
    assert await _holds(world, token) == survives


async def test_a_token_belongs_to_the_client_of_its_grant(world: World) -> None:
    """A token with another client than its grant's is invalid."""
    client, other, sign_in = await world.client(), await world.client(), await world.sign_in()
    grant_id = new_id()
    await _redeem(world, uuid4().bytes, sign_in.code(client.client_id), grant_id)
    assert not await _holds(world, _access_token(other.client_id, grant_id))


async def test_a_grant_ends_at_its_end(world: World) -> None:
    """An expired grant is invalid without any clean-up."""
    client, sign_in = await world.client(), await world.sign_in()
    grant_id = new_id()
    code = await world.issued_code(sign_in.code(client.client_id))
    await world.stores.grants.redeem(an_attempt(grant_id), uuid4().bytes, code, _expiry(-1), None)
    assert not await _holds(world, _access_token(client.client_id, grant_id))


async def test_revoking_a_grant_ends_its_tokens(world: World) -> None:
    """A repeated revocation has one audit row."""
    client, sign_in = await world.client(), await world.sign_in()
    grant_id, before = new_id(), await world.audited("grant_revoked")
    await _redeem(world, uuid4().bytes, sign_in.code(client.client_id), grant_id)
    for _ in range(2):
        await world.stores.grants.revoke(grant_id, "test")
    assert not await _holds(world, _access_token(client.client_id, grant_id))
    assert await world.audited("grant_revoked") == before + 1


async def test_one_access_token_can_be_revoked_alone(world: World) -> None:
    """Revoking one access token leaves its grant and other tokens valid, and can be repeated."""
    client, sign_in = await world.client(), await world.sign_in()
    grant_id = new_id()
    await _redeem(world, uuid4().bytes, sign_in.code(client.client_id), grant_id)
    one, other = (_access_token(client.client_id, grant_id) for _ in range(2))
    for _ in range(2):
        await world.stores.grants.revoke_access_token(one.token_id, one.exp, client.client_id)
    assert not await _holds(world, one)
    assert await _holds(world, other)


async def test_a_clients_own_token_is_held_against_the_client(world: World) -> None:
    """client_credentials: without a grant, the client itself must be enabled."""
    client = await world.client()
    one, other = (_access_token(client.client_id, None) for _ in range(2))
    await world.stores.grants.revoke_access_token(one.token_id, one.exp, client.client_id)
    assert not await world.stores.grants.holds(one)
    assert await world.stores.grants.holds(other)
    assert await world.stores.grants.find_user(other) is None
    await world.stores.clients.disable(client.client_id)
    assert not await world.stores.grants.holds(other)


async def test_of_many_redemptions_one_is_the_first(world: World) -> None:
    """Of fifty concurrent redemptions, exactly one gets the grant, and a replay revokes it."""
    client, sign_in = await world.client(), await world.sign_in()
    code, code_hash = sign_in.code(client.client_id), uuid4().bytes
    redeemed = await asyncio.gather(*(_redeem(world, code_hash, code, new_id()) for _ in range(50)))
    assert sum(one is not None and one.is_mine for one in redeemed) == 1
    assert len({one.grant_id for one in redeemed if one}) == 1
    grant_id = next(one.grant_id for one in redeemed if one)
    assert not await _holds(world, _access_token(client.client_id, grant_id))


async def test_a_code_of_an_older_epoch_gives_nothing(world: World) -> None:
    """The epoch is also compared with that of the code."""
    client, sign_in = await world.client(), await world.sign_in()
    code = replace(sign_in.code(client.client_id), epoch=sign_in.user.epoch + 1)
    assert await _redeem(world, uuid4().bytes, code, new_id()) is None


async def test_the_live_grants_of_a_user_are_listed(world: World) -> None:
    """Live grants are listed by id, and by user and client."""
    sign_in, other = await world.sign_in(), await world.sign_in()
    client, another = await world.client(), await world.client()
    first, second, revoked, others = (new_id() for _ in range(4))
    for who, grant_id, where in (
        (sign_in, first, client),
        (sign_in, second, another),
        (sign_in, revoked, client),
        (other, others, client),
    ):
        code = who.code(where.client_id)
        await _redeem(world, digest(str(grant_id)), code, grant_id)
    await world.stores.grants.revoke(revoked, "test")
    listed, user_id = world.stores.grants, sign_in.user.user_id
    grants = await listed.list_of_user(user_id, NOTHING, 10)
    assert [(grant.grant_id, grant.client_id, grant.sid) for grant in grants] == sorted(
        (
            (first, client.client_id, sign_in.sid),
            (second, another.client_id, sign_in.sid),
        )
    )
    one = await listed.list_of_user(user_id, NOTHING, 10, another.client_id)
    assert [grant.grant_id for grant in one] == [second]
    of_client = [grant.grant_id for grant in await listed.list_of_client(client.client_id, NOTHING, 10)]
    assert of_client == sorted((first, others))
    rest = await listed.list_of_client(client.client_id, of_client[0], 1)
    assert [grant.grant_id for grant in rest] == of_client[1:]
    assert await world.stores.grants.get_live(revoked) is None
    found = await world.stores.grants.get_live(others)
    assert found
    assert found.user_id == other.user.user_id
    assert all(set(grant.scope) == set(SCOPE) for grant in grants)
    await world.stores.users.end_all(sign_in.user.user_id)
    assert await listed.list_of_user(user_id, NOTHING, 10) == []
