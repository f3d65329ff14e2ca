"""The outbox: filling it at the end of sessions, races, and several workers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.live import clock
from shared.model import Authentication, Session, User
from shared.oauth.client.record import Client
from shared.store import Expiring, LogoutNotice
from tests.builders import SignIn, World, an_attempt
from tests.planted import planted
from tests.planted.growth import remembers_who_never_answers

LEASE = timedelta(seconds=30)
LATER = timedelta(hours=1)

Act = Callable[[World, SignIn], Awaitable[object]]


@pytest.fixture(autouse=True)
async def _empty(world: World) -> None:
    await world.database.row("TRUNCATE outbox, audit")


async def told(world: World) -> set[tuple[str, UUID]]:
    """The pending notices: client and session."""
    return {(notice.client_id, notice.sid) for notice in await world.stores.outbox.list(1000)}


async def a_listener(world: World, **fields: object) -> Client:
    """A client with a `backchannel_logout_uri`."""
    return await world.client(backchannel_logout_uri="https://rp1.test/logout", **fields)


async def grant(world: World, sign_in: SignIn, client: Client, **fields: object) -> bool:
    """Redeem a code of the session. Returns whether it succeeded."""
    code, grant_id = sign_in.code(client.client_id, **fields), uuid4()
    expires_at = clock.now() + timedelta(days=1)
    code = await world.issued_code(code)
    made = await world.stores.grants.redeem(an_attempt(grant_id), grant_id.bytes, code, expires_at, None)
    return made is not None


def a_session(user: User) -> Session:
    return Session(
        session_key=uuid4().bytes * 2,
        sid=uuid4(),
        user_id=user.user_id,
        username=user.username,
        epoch=user.epoch,
        authentication=Authentication(auth_time=clock.now(), acr="urn:ostiary:acr:pwd", amr=("pwd",)),
        expires_at=clock.now() + timedelta(hours=12),
    )


async def _logout(world: World, sign_in: SignIn) -> object:
    return await world.stores.sessions.end(sign_in.sid, "logout")


async def _another_user(world: World, sign_in: SignIn) -> object:
    return await world.stores.sessions.begin(a_session(await world.user()), sign_in.sid.bytes * 2, {})


async def _user_logout(world: World, sign_in: SignIn) -> None:
    await world.stores.users.end_all(sign_in.user.user_id)


async def _disable(world: World, sign_in: SignIn) -> None:
    await world.stores.users.disable(sign_in.user.user_id)


async def _password(world: World, sign_in: SignIn) -> None:
    await world.stores.credentials.set_password(sign_in.user.user_id, "a hash")


async def _delete(world: World, sign_in: SignIn) -> None:
    await world.stores.users.delete(sign_in.user.user_id)


OF_ONE_SESSION = (_logout, _another_user)
OF_ALL_SESSIONS = (_user_logout, _disable, _password, _delete)


@pytest.mark.parametrize("act", OF_ONE_SESSION + OF_ALL_SESSIONS)
async def test_every_end_tells_each_client_of_the_session_once(world: World, act: Act) -> None:
    """Every client with a grant of the session is notified once, and no other client."""
    sign_in, stranger = await world.sign_in(), await world.sign_in()
    one, two, disabled = [await a_listener(world) for _ in range(3)]
    silent, implicit = await world.client(), await a_listener(world)
    for client in (one, one, disabled, silent):
        assert await grant(world, sign_in, client)
    assert await grant(world, sign_in, two, scope=("openid",))
    assert await world.stores.grants.add(
        uuid4(),
        await world.issued(sign_in.authorization(implicit.client_id)),
        "https://rp1.test/cb",
        0,
        clock.now() + LATER,
    )
    assert await grant(world, stranger, one)
    await world.stores.clients.disable(disabled.client_id)
    await act(world, sign_in)
    assert await told(world) == {(client.client_id, sign_in.sid) for client in (one, two, implicit)}
    await act(world, sign_in)
    assert len(await world.stores.outbox.list(1000)) == 3


@pytest.mark.parametrize("act", OF_ALL_SESSIONS)
async def test_what_ends_all_sessions_of_a_user_tells_of_each(world: World, act: Act) -> None:
    """Clients of sessions that had ended before are not notified again."""
    client, user = await a_listener(world), await world.user()
    sign_ins = [SignIn(user, await world.session(user)) for _ in range(3)]
    for sign_in in sign_ins:
        assert await grant(world, sign_in, client)
    await world.stores.sessions.end(sign_ins[0].sid, "logout")
    (notice,) = await world.stores.outbox.list(10)
    await world.stores.outbox.settle(notice.notice_id)
    await act(world, sign_ins[0])
    assert await told(world) == {(client.client_id, sign_in.sid) for sign_in in sign_ins[1:]}


async def test_a_session_that_goes_on_tells_nobody(world: World) -> None:
    """If a disabled user cannot begin a session, and if the same user signs in again, nobody is notified."""
    client, sign_in = await a_listener(world), await world.sign_in()
    assert await grant(world, sign_in, client)
    gone = await world.user()
    await world.stores.users.disable(gone.user_id)
    assert await world.stores.sessions.begin(a_session(gone), sign_in.sid.bytes * 2, {}) is None
    assert await world.stores.sessions.begin(a_session(sign_in.user), sign_in.sid.bytes * 2, {})
    assert await told(world) == set()


async def test_the_clients_of_a_session(world: World) -> None:
    """The clients of a session are listed, also after it has ended."""
    sign_in, clients = await world.sign_in(), [await world.client() for _ in range(2)]
    for client in clients:
        assert await grant(world, sign_in, client)
    await world.stores.sessions.end(sign_in.sid, "logout")
    assert set(await world.stores.sessions.clients(sign_in.sid)) == {c.client_id for c in clients}
    assert await world.stores.sessions.clients(uuid4()) == []


@pytest.mark.parametrize("act", OF_ONE_SESSION + OF_ALL_SESSIONS)
async def test_no_redemption_in_flight_is_missed(world: World, act: Act) -> None:
    """In a race with a redemption, a client either gets no grant or is notified."""
    client = await a_listener(world)
    sign_ins = [await world.sign_in() for _ in range(60)]
    got: set[UUID] = set()

    async def redeem(sign_in: SignIn) -> None:
        if await grant(world, sign_in, client):
            got.add(sign_in.sid)

    for n in range(0, 60, 20):
        races = [(redeem(s), act(world, s)) if i % 2 else (act(world, s), redeem(s))
                 for i, s in enumerate(sign_ins[n : n + 20])]  # fmt: skip
        await asyncio.gather(*(step for race in races for step in race))
    assert {sid for _, sid in await told(world)} == got


async def filled(world: World, count: int) -> None:
    """Add notices of one client."""
    client, user = await a_listener(world), await world.user()
    for _ in range(count):
        assert await grant(world, SignIn(user, await world.session(user)), client)
    await world.stores.users.end_all(user.user_id)


async def test_of_many_who_take_each_notice_goes_to_one(world: World) -> None:
    """Concurrent workers take each notice once, within their limits; none is due until the leases end."""
    await filled(world, 30)
    outbox, now = world.stores.outbox, clock.now()
    taken = await asyncio.gather(*(outbox.take(4, LEASE, now) for _ in range(20)))
    taken += await asyncio.gather(*(outbox.take(4, LEASE, now) for _ in range(20)))
    assert max(len(part) for part in taken) == 4
    notices = [notice for part in taken for notice in part]
    assert len(notices) == len({notice.notice_id for notice in notices}) == 30
    assert await outbox.take(100, LEASE, now + LEASE - timedelta(seconds=1)) == []


async def test_when_a_lease_ends_the_same_notice_is_due_again(world: World) -> None:
    """After the lease of a dead worker, a notice is due again with the same identifier."""
    await filled(world, 1)
    outbox, now = world.stores.outbox, clock.now()
    (first,) = await outbox.take(10, LEASE, now)
    (again,) = await outbox.take(10, LEASE, now + LEASE)
    assert (again.notice_id, first.tries, again.tries) == (first.notice_id, 1, 2)


async def test_the_oldest_comes_first(world: World) -> None:
    """Notices are taken in the order in which they are due."""
    await filled(world, 3)
    outbox, now = world.stores.outbox, clock.now()
    one, two, three = await outbox.take(3, LEASE, now)
    for notice, minutes in ((one, 3), (two, 1), (three, 2)):
        await outbox.put_off(notice.notice_id, now + timedelta(minutes=minutes))
    order = [await outbox.take(1, LATER, now + LATER) for _ in range(3)]
    assert [notice.notice_id for (notice,) in order] == [two.notice_id, three.notice_id, one.notice_id]


async def test_a_notice_is_settled_put_off_or_given_up(world: World) -> None:
    """Notices can be settled, postponed, given up with an audit row, and retried."""
    await filled(world, 3)
    outbox, now = world.stores.outbox, clock.now()
    settled, put_off, given_up = await outbox.take(3, LEASE, now)
    await outbox.settle(settled.notice_id)
    await outbox.put_off(put_off.notice_id, now + LATER)
    for _ in range(2):
        await outbox.give_up(given_up.notice_id, now)
    assert await world.audited("logout_notice_given_up") == 1
    assert await outbox.take(10, LEASE, now + LATER - timedelta(seconds=1)) == []
    assert [notice.notice_id for notice in await outbox.take(10, LEASE, now + LATER)] == [put_off.notice_id]
    assert await outbox.retry() == 1
    (again,) = await outbox.take(10, LEASE, clock.now())
    assert (again.notice_id, again.tries) == (given_up.notice_id, 1)
    assert await outbox.retry() == 0


async def test_many_notices_are_retried_in_several_statements(world: World) -> None:
    """No statement locks more than a few hundred of them."""
    await filled(world, 1)
    await world.database.row(
        """INSERT INTO outbox (client_id, sid, user_id, given_up_at)
           SELECT client_id, gen_random_uuid(), user_id, now() FROM outbox, generate_series(1, 600)"""
    )
    assert await world.stores.outbox.retry() == 600
    row = await world.database.row("SELECT count(DISTINCT xmin::text) AS n FROM outbox WHERE tries = 0")
    assert row
    assert row["n"] == 3  # with that of the first notice


@planted(remembers_who_never_answers)
async def test_what_was_given_up_long_ago_is_forgotten(world: World) -> None:
    """Notices that were given up expire, so the outbox is bounded."""
    await filled(world, 2)
    outbox, now = world.stores.outbox, clock.now()
    old, new = await outbox.take(2, LEASE, now)
    await outbox.give_up(old.notice_id, now - 2 * LATER)
    await outbox.give_up(new.notice_id, now)
    assert await world.stores.expiry.remove(Expiring.OUTBOX, LATER, 10) == 1
    assert [left.notice_id for left in await outbox.list(10)] == [new.notice_id]


async def test_a_notice_goes_with_its_client_and_outlives_its_user(world: World) -> None:
    """Notices of a deleted client are removed; those of a deleted user are kept."""
    sign_in, one, two = await world.sign_in(), await a_listener(world), await a_listener(world)
    for client in (one, two):
        assert await grant(world, sign_in, client)
    await _delete(world, sign_in)
    await world.stores.clients.delete(one.client_id)
    while await world.stores.client_removals.remove(100):
        pass
    (left,) = await world.stores.outbox.list(10)
    assert isinstance(left, LogoutNotice)
    assert (left.client_id, left.user_id) == (two.client_id, sign_in.user.user_id)
