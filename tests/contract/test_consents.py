"""`Consents` with the real PostgreSQL: access of clients, and revoking it."""

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from unittest.mock import patch
from uuid import UUID, uuid4

from shared.live import clock
from shared.model import Authentication, AuthorizationCode, Session, User
from shared.oauth.tokens.access_token import AccessToken
from shared.store import ClientAccess, NewFamily, Redeemed
from shared.store.postgres.consents import PostgresConsents
from shared.store.postgres.grants import PostgresGrants
from tests.builders import SCOPE, SignIn, World, an_attempt
from tests.planted import planted
from tests.planted.accounts import keeps_clients_in_the_dark

WAITING = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%users%'"


def expiry() -> datetime:
    """The end of a grant."""
    return clock.now() + timedelta(days=1)


async def redeem(world: World, code: AuthorizationCode, grant_id: UUID | None = None) -> Redeemed | None:
    """The outcome of redeeming a code."""
    return await world.stores.grants.redeem(
        an_attempt(grant_id or uuid4()), uuid4().bytes * 2, await world.issued_code(code), expiry(), None
    )


async def stands(world: World, client_id: str, grant_id: UUID) -> bool:
    """Whether an access token of a grant is valid."""
    now = clock.now()
    token = AccessToken(
        token_id=uuid4(),
        grant_id=grant_id,
        client_id=client_id,
        sub="",
        scope=SCOPE,
        aud=(),
        iat=now,
        exp=now,
    )
    return await world.stores.grants.holds(token)


async def a_session(world: World, user: User) -> Session:
    """A browser session of the user, in both stores."""
    session = Session(
        session_key=uuid4().bytes * 2,
        sid=uuid4(),
        user_id=user.user_id,
        username=user.username,
        epoch=user.epoch,
        authentication=Authentication(auth_time=clock.now(), acr="urn:ostiary:acr:pwd", amr=("pwd",)),
        expires_at=clock.now() + timedelta(hours=12),
    )
    begun = await world.stores.sessions.begin(session, None, {})
    assert begun is not None
    return begun


async def until_one_waits(world: World) -> None:
    """Return when a statement waits for the user's row."""
    async with asyncio.timeout(30):
        while not (row := await world.database.row(WAITING)) or not row["n"]:
            await asyncio.sleep(0.01)


async def test_what_each_client_has_is_listed(world: World) -> None:
    """Clients with a remembered scope or live grants are listed."""
    sign_in, consents = await world.sign_in(), world.stores.consents
    both, asked, granted = [await world.client(client_id=f"{name}-{uuid4().hex}") for name in "abc"]
    for client, is_remembered in ((both, True), (asked, True), (granted, False)):
        await consents.add(sign_in.user.user_id, client.client_id, ("openid",), is_remembered=is_remembered)
    revoked = uuid4()
    for client, grant_id in ((both, uuid4()), (both, uuid4()), (granted, uuid4()), (granted, revoked)):
        await redeem(world, sign_in.code(client.client_id), grant_id)
    await world.stores.grants.revoke(revoked, "test")
    listed, scope = await consents.of_user(sign_in.user.user_id), tuple(sorted(SCOPE))
    assert [replace(access, last_used_at=None) for access in listed] == [
        ClientAccess(client_id=both.client_id, scope=("openid",), grants=2, granted=scope),
        ClientAccess(client_id=asked.client_id, scope=("openid",), grants=0),
        ClientAccess(client_id=granted.client_id, scope=(), grants=1, granted=scope),
    ]
    assert [access.last_used_at is None for access in listed] == [False, True, False]
    assert await consents.of_user(uuid4()) == []


async def test_a_refresh_is_the_last_use(world: World) -> None:
    """The time of the latest rotation counts if it is later than the grant."""
    sign_in, client = await world.sign_in(), await world.client()
    grant_id, later = uuid4(), clock.now() + timedelta(hours=1)
    redeemed = await world.stores.grants.redeem(
        an_attempt(grant_id),
        uuid4().bytes * 2,
        await world.issued_code(sign_in.code(client.client_id)),
        expiry(),
        NewFamily(family_hash=b"f" * 32, token_hash=b"t" * 32, idle=timedelta(days=1), expires_at=expiry()),
    )
    assert redeemed
    await world.database.row(
        "UPDATE refresh_families SET rotated_at = $2 WHERE grant_id = $1", grant_id, later
    )
    (access,) = await world.stores.consents.of_user(sign_in.user.user_id)
    assert access.last_used_at == later


@planted(keeps_clients_in_the_dark)
async def test_a_client_that_is_disconnected_is_told(world: World) -> None:
    """Of the sessions in which it has live grants; other clients and ended sessions are left alone."""
    listener = {"backchannel_logout_uri": "https://rp1.test/logout"}
    client, other, user = await world.client(**listener), await world.client(**listener), await world.user()
    first, second, ended = [SignIn(user, await world.session(user)) for _ in range(3)]
    for sign_in in (first, second, ended):
        await redeem(world, sign_in.code(client.client_id))
    await redeem(world, first.code(other.client_id))
    await world.stores.sessions.end(ended.sid, "logout")
    told = {notice.notice_id for notice in await world.stores.outbox.list(100)}
    await world.stores.consents.revoke(user.user_id, client.client_id)
    notices = [each for each in await world.stores.outbox.list(100) if each.notice_id not in told]
    assert {(each.client_id, each.sid) for each in notices} == {
        (client.client_id, first.sid),
        (client.client_id, second.sid),
    }


async def test_a_consent_is_found_by_user_and_client(world: World) -> None:
    """The remembered scope; None before it, for another client, and once it is revoked."""
    sign_in, consents = await world.sign_in(), world.stores.consents
    client, other, user_id = await world.client(), await world.client(), sign_in.user.user_id
    await consents.add(user_id, client.client_id, ("openid",), is_remembered=False)
    assert await consents.of(user_id, client.client_id) is None
    await consents.add(user_id, client.client_id, ("openid", "email"), is_remembered=True)
    assert set(await consents.of(user_id, client.client_id) or ()) == {"openid", "email"}
    assert await consents.of(user_id, other.client_id) is None
    await consents.revoke(user_id, client.client_id)
    assert await consents.of(user_id, client.client_id) is None


async def test_a_revoked_consent_takes_its_grants_with_it_and_nothing_else(world: World) -> None:
    """Other clients, other users and sessions are not affected, and there is an audit row."""
    sign_in, other_user, before = (
        await world.sign_in(),
        await world.sign_in(),
        await world.audited("consent_revoked"),
    )
    client, other = await world.client(), await world.client()
    user_id, consents, session = (
        sign_in.user.user_id,
        world.stores.consents,
        await a_session(world, sign_in.user),
    )
    kept = {other.client_id: uuid4()}
    mine, theirs = uuid4(), uuid4()
    await redeem(world, sign_in.code(client.client_id), mine)
    await redeem(world, sign_in.code(other.client_id), kept[other.client_id])
    await redeem(world, other_user.code(client.client_id), theirs)
    for each in (client, other):
        await consents.add(user_id, each.client_id, ("openid",), is_remembered=True)
    assert await consents.revoke(user_id, client.client_id) == 1
    assert not await stands(world, client.client_id, mine)
    assert await stands(world, other.client_id, kept[other.client_id])
    assert await stands(world, client.client_id, theirs)
    assert [given.client_id for given in await consents.of_user(user_id)] == [other.client_id]
    found = await world.stores.sessions.find_with_consent(session.session_key, client.client_id)
    assert found is not None
    assert (found[0].sid, found[0].epoch, found[1]) == (session.sid, session.epoch + 1, None)
    assert await consents.revoke(user_id, client.client_id) == 0
    assert await world.audited("consent_revoked") == before + 2
    assert await consents.revoke(uuid4(), client.client_id) == 0
    assert await world.audited("consent_revoked") == before + 2


async def test_what_had_ended_does_not_come_back(world: World) -> None:
    """Ended sessions and grants of earlier epochs do not revive."""
    sign_in, client, other = await world.sign_in(), await world.client(), await world.client()
    user_id, old, revoked = sign_in.user.user_id, uuid4(), uuid4()
    sessions = [await a_session(world, sign_in.user)]
    await redeem(world, sign_in.code(other.client_id), old)
    await world.stores.users.end_all(user_id)
    user = await world.stores.users.find(user_id)
    assert user is not None
    sessions.append(await a_session(world, user))
    again = SignIn(user, sessions[1].sid)
    assert await redeem(world, again.code(other.client_id), revoked)
    await world.stores.grants.revoke(revoked, "test")
    await world.stores.sessions.end(again.sid, "test")
    await world.stores.consents.revoke(user_id, client.client_id)
    for session in sessions:
        assert await world.stores.sessions.find_with_consent(session.session_key, other.client_id) is None
    for grant_id in (old, revoked):
        assert not await stands(world, other.client_id, grant_id)


async def test_a_code_in_flight_is_over(world: World) -> None:
    """Pending codes become invalid; new ones in the same session work."""
    sign_in, client = await world.sign_in(), await world.client()
    session = await a_session(world, sign_in.user)
    before = sign_in.code(client.client_id, epoch=session.epoch)
    await world.stores.consents.revoke(sign_in.user.user_id, client.client_id)
    assert await redeem(world, before) is None
    found = await world.stores.sessions.find_with_consent(session.session_key, client.client_id)
    assert found is not None
    assert await redeem(world, sign_in.code(client.client_id, epoch=found[0].epoch))


async def test_revoking_waits_for_grants_that_are_being_made(world: World) -> None:
    """A redemption that is not committed yet is revoked, too."""
    sign_in, client, late = await world.sign_in(), await world.client(), uuid4()
    in_flight = PostgresGrants(world.database)
    async with world.database.transaction() as connection:
        with patch.object(world.database, "row_idempotent", connection.fetchrow):
            code = await world.issued_code(sign_in.code(client.client_id))
            assert await in_flight.redeem(an_attempt(late), late.bytes * 2, code, expiry(), None)
        revoking = asyncio.create_task(world.stores.consents.revoke(sign_in.user.user_id, client.client_id))
        await until_one_waits(world)
    assert await revoking == 1
    assert not await stands(world, client.client_id, late)


async def test_a_redemption_that_waits_for_a_revocation_gives_nothing(world: World) -> None:
    """A redemption that waits for the revocation fails, although it began before."""
    sign_in, client = await world.sign_in(), await world.client()
    revoking = PostgresConsents(world.database)
    async with world.database.transaction() as connection:
        with patch.object(world.database, "transaction", lambda: nullcontext(connection)):
            await revoking.revoke(sign_in.user.user_id, client.client_id)
        redeeming = asyncio.create_task(redeem(world, sign_in.code(client.client_id)))
        await until_one_waits(world)
    assert await redeeming is None
