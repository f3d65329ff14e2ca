"""Sessions, interactions, consents and counted attempts, with the real stores."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.live import clock
from shared.model import Authentication, Session, User
from shared.store import MailContents, Pace, Unavailable
from shared.store.codecs.sealed_values import SealedValues
from shared.store.postgres.mails import SealedMails
from shared.store.postgres.sessions import PostgresSessionRows
from shared.store.redis.counters import RedisCounters
from shared.store.redis.sessions import RedisSessionContents
from shared.store.redis.transport.client import RedisClient
from shared.store.sessions import KeptSessions
from tests.builders import World
from tests.contract.conftest import LAYOUTS
from tests.planted import planted
from tests.planted.accounts import ends_anybodys_session

NO_MAILS = SealedMails(SealedValues((), "mail", MailContents))

pytestmark = pytest.mark.parametrize("module_redis_url", LAYOUTS, indirect=True, scope="module")


def a_session(user: User, **fields: object) -> Session:
    """A sign-in that has just happened."""
    session = Session(
        session_key=uuid4().bytes * 2,
        sid=uuid4(),
        user_id=user.user_id,
        username=user.username,
        epoch=user.epoch,
        authentication=Authentication(auth_time=clock.now(), acr="urn:ostiary:acr:pwd", amr=("pwd",)),
        expires_at=clock.now() + timedelta(hours=12),
    )
    return replace(session, **fields)  # type: ignore[arg-type]  # each test names fields as they are


async def test_a_session_begins_and_is_found(world: World) -> None:
    """A session is found as it was stored, with the user's consent for the client, and audited."""
    user, client = await world.user(), await world.client()
    sessions, session = world.stores.sessions, a_session(user)
    before = await world.audited("signed_in")
    begun = await sessions.begin(session, None, {"address": "192.0.2.1"})
    assert begun == session
    assert await world.audited("signed_in") == before + 1
    assert await sessions.find_with_consent(session.session_key, client.client_id) == (session, None)
    await world.stores.consents.add(user.user_id, client.client_id, ("openid",), is_remembered=True)
    assert await sessions.find_with_consent(session.session_key, client.client_id) == (session, ("openid",))
    assert await sessions.find_with_consent(b"x" * 32, client.client_id) is None


async def test_a_session_is_found_without_a_client(world: World) -> None:
    """The same session as with a client, until it has ended."""
    sessions, session = world.stores.sessions, a_session(await world.user())
    await sessions.begin(session, None, {})
    assert await sessions.find(session.session_key) == session
    assert await sessions.find(b"x" * 32) is None
    await sessions.end(session.sid, "logout")
    assert await sessions.find(session.session_key) is None


async def test_a_session_is_listed_with_its_origin_and_last_use(world: World) -> None:
    """The origin is that of the latest sign-in. A session that Redis has forgotten is not live."""
    user, sessions = await world.user(), world.stores.sessions
    session = a_session(user)
    await sessions.begin(session, None, {"address": "192.0.2.1", "user_agent": "Mosaic"})
    await world.session(user)  # in PostgreSQL only
    again = replace(session, session_key=uuid4().bytes * 2)
    await sessions.begin(again, session.session_key, {"address": "192.0.2.7", "user_agent": "Lynx"})
    (row,) = await sessions.of_user(user.user_id)
    assert (row.sid, row.address, row.user_agent) == (session.sid, "192.0.2.7", "Lynx")
    assert row.last_used_at
    assert abs(clock.now() - row.last_used_at) < timedelta(minutes=1)


async def test_sessions_are_listed_without_redis(world: World) -> None:
    """Then nobody knows when they were used last."""
    user, away = await world.user(), RedisClient.open("redis://127.0.0.1:1/0")
    session = a_session(user)
    await world.stores.sessions.begin(session, None, {})
    kept = KeptSessions(
        PostgresSessionRows(world.database, NO_MAILS), RedisSessionContents(away, timedelta(hours=1))
    )
    rows = await kept.of_user(user.user_id)
    await away.close()
    assert [(row.sid, row.last_used_at) for row in rows] == [(session.sid, None)]


@planted(ends_anybodys_session)
async def test_a_session_is_ended_for_its_own_user_alone(world: World) -> None:
    """The `sid` of another user's session ends nothing."""
    user, other, sessions = await world.user(), await world.user(), world.stores.sessions
    session = a_session(user)
    await sessions.begin(session, None, {})
    assert not await sessions.end(session.sid, "by its user", of=other.user_id)
    assert await sessions.find(session.session_key) == session
    assert await sessions.end(session.sid, "by its user", of=user.user_id)
    assert await sessions.find(session.session_key) is None


async def test_the_live_sessions_of_a_user_are_listed(world: World) -> None:
    """Oldest first, without those that have ended or expired, and without other users' sessions."""
    user, other, sessions = await world.user(), await world.user(), world.stores.sessions
    first, second, ended = a_session(user), a_session(user), a_session(user)
    expired, others = a_session(user, expires_at=clock.now() - timedelta(seconds=1)), a_session(other)
    for session in (first, second, ended, expired, others):
        await sessions.begin(session, None, {})
    await sessions.end(ended.sid, "logout")
    rows = await sessions.of_user(user.user_id)
    assert [(row.sid, row.expires_at) for row in rows] == [
        (first.sid, first.expires_at),
        (second.sid, second.expires_at),
    ]
    assert rows[0].created_at < rows[1].created_at
    await world.stores.users.end_all(user.user_id)
    assert await sessions.of_user(user.user_id) == []
    assert await sessions.of_user(uuid4()) == []


async def test_the_same_user_s_session_goes_on_under_the_new_key(world: World) -> None:
    """Grants of that sid stay valid; the old key is invalid."""
    user, sessions = await world.user(), world.stores.sessions
    first = a_session(user)
    await sessions.begin(first, None, {})
    second = await sessions.begin(a_session(user), first.session_key, {})
    assert second is not None
    assert second.sid == first.sid
    assert await sessions.find_with_consent(first.session_key, "x") is None
    assert await sessions.find_with_consent(second.session_key, "x") == (second, None)


@pytest.mark.parametrize("case", ["another user", "ended", "expired", "epoch"])
async def test_another_session_does_not_go_on(world: World, case: str) -> None:
    """The new session has a new sid, and the browser's previous session is over."""
    user, sessions = await world.user(), world.stores.sessions
    first = a_session(await world.user() if case == "another user" else user)
    if case == "expired":
        first = replace(first, expires_at=clock.now() - timedelta(seconds=1))
    await sessions.begin(first, None, {})
    if case == "ended":
        await sessions.end(first.sid, "test")
    if case == "epoch":
        await world.stores.users.end_all(user.user_id)
        user = replace(user, epoch=user.epoch + 1)
    second = await sessions.begin(a_session(user), first.session_key, {})
    assert second is not None
    assert second.sid != first.sid
    assert await sessions.find_with_consent(first.session_key, "x") is None
    assert await sessions.owner(first.session_key) is None
    assert not await sessions.end(first.sid, "again")


@pytest.mark.parametrize("case", ["disabled", "epoch", "deleted"])
async def test_a_user_who_has_changed_begins_none(world: World, case: str) -> None:
    """If the user changed after the password check, nothing is written, and the old session stays."""
    user, other, sessions = await world.user(), await world.user(), world.stores.sessions
    theirs = a_session(other)
    await sessions.begin(theirs, None, {})
    match case:
        case "disabled":
            await world.stores.users.disable(user.user_id)
        case "epoch":
            await world.stores.users.end_all(user.user_id)
        case "deleted":
            await world.stores.users.delete(user.user_id)
    session = a_session(user)
    assert await sessions.begin(session, theirs.session_key, {}) is None
    assert await sessions.find_with_consent(session.session_key, "x") is None
    assert await sessions.find_with_consent(theirs.session_key, "x") is not None


async def test_fifty_logins_of_one_browser_leave_one_that_goes_on(world: World) -> None:
    """One of fifty concurrent sign-ins continues the old session; the others are new sessions."""
    user, sessions = await world.user(), world.stores.sessions
    first = a_session(user)
    await sessions.begin(first, None, {})
    begun = await asyncio.gather(*(sessions.begin(a_session(user), first.session_key, {}) for _ in range(50)))
    assert [session.sid for session in begun if session].count(first.sid) == 1
    assert len({session.sid for session in begun if session}) == 50


async def test_an_end_is_told_once(world: World) -> None:
    """Of fifty concurrent ends, one returns True and writes the audit row."""
    user, sessions = await world.user(), world.stores.sessions
    session = a_session(user)
    await sessions.begin(session, None, {})
    assert (owner := await sessions.owner(session.session_key))
    assert (owner.sid, owner.user_id, owner.username) == (session.sid, user.user_id, user.username)
    before = await world.audited("session_ended")
    outcomes = await asyncio.gather(*(sessions.end(session.sid, "logout") for _ in range(50)))
    assert outcomes.count(True) == 1
    assert await world.audited("session_ended") == before + 1
    assert await sessions.owner(session.session_key) is None
    assert await sessions.find_with_consent(session.session_key, "x") is None


async def test_contents_without_a_row_are_nothing(world: World, module_redis_url: str) -> None:
    """PostgreSQL decides: contents in Redis without a row are not a session."""
    user, sessions = await world.user(), world.stores.sessions
    session = a_session(user)
    await sessions.begin(session, None, {})
    await world.database.row("UPDATE sessions SET ended_at = now() WHERE sid = $1", session.sid)
    assert await sessions.find_with_consent(session.session_key, "x") is None


async def test_contents_of_another_session_are_nothing(world: World) -> None:
    """Contents in Redis must match the row of the same key."""
    user, sessions = await world.user(), world.stores.sessions
    session = a_session(user)
    await sessions.begin(session, None, {})
    await world.database.row("UPDATE sessions SET sid = $2 WHERE sid = $1", session.sid, uuid4())
    assert await sessions.find_with_consent(session.session_key, "x") is None


@pytest.fixture
async def redis(module_redis_url: str) -> AsyncIterator[RedisClient]:
    """A client of Redis."""
    redis = RedisClient.open(module_redis_url)
    yield redis
    await redis.close()


async def test_use_renews_the_idle_lifetime(world: World, redis: RedisClient) -> None:
    """Finding a session restarts its idle lifetime, in the same round trip."""
    sessions = KeptSessions(
        PostgresSessionRows(world.database, NO_MAILS), RedisSessionContents(redis, timedelta(minutes=10))
    )
    session = a_session(await world.user())
    await sessions.begin(session, None, {})
    key = f"{{session:{session.session_key.hex()}}}"
    await redis.execute("PEXPIRE", key, 60_000)
    await sessions.find_with_consent(session.session_key, "x")
    assert await redis.execute("PTTL", key) > 500_000


async def test_a_session_ends_while_redis_is_away(world: World) -> None:
    """Ending a session needs only PostgreSQL; finding it needs both stores."""
    away = RedisClient.open("redis://127.0.0.1:1/0")
    gone = KeptSessions(
        PostgresSessionRows(world.database, NO_MAILS), RedisSessionContents(away, timedelta(hours=1))
    )
    session = a_session(await world.user())
    await world.stores.sessions.begin(session, None, {})
    with pytest.raises(Unavailable):
        await gone.find_with_consent(session.session_key, "x")
    with pytest.raises(Unavailable):
        await gone.find(session.session_key)
    assert (await gone.owner(session.session_key)) is not None
    assert await gone.end(session.sid, "logout")
    await away.close()


# Interactions


async def test_an_interaction_lives_until_it_is_ended(world: World) -> None:
    """An interaction can be read and replaced any number of times, and ended once."""
    interactions, key = world.stores.interactions, uuid4().bytes * 2
    await interactions.add(key, {"step": 1}, timedelta(minutes=1))
    assert await interactions.find(key) == await interactions.find(key) == {"step": 1}
    assert await interactions.replace(key, {"step": 2})
    assert await interactions.end(key) == {"step": 2}
    assert await interactions.find(key) is None
    assert await interactions.end(key) is None
    assert not await interactions.replace(key, {"step": 3})
    assert await interactions.find(key) is None


async def test_a_change_does_not_lengthen_an_interaction(world: World, redis: RedisClient) -> None:
    """Its lifetime is counted from its beginning."""
    interactions, key = world.stores.interactions, uuid4().bytes * 2
    await interactions.add(key, {}, timedelta(seconds=100))
    await redis.execute("PEXPIRE", f"{{interaction:{key.hex()}}}", 5000)
    await interactions.replace(key, {"more": True})
    assert 0 < await redis.execute("PTTL", f"{{interaction:{key.hex()}}}") <= 5000


async def test_of_fifty_who_complete_an_interaction_one_does(world: World) -> None:
    """GETDEL: one gets it, the others get nothing."""
    for _ in range(20):
        key = uuid4().bytes * 2
        await world.stores.interactions.add(key, {"a": 1}, timedelta(minutes=1))
        ended = await asyncio.gather(*(world.stores.interactions.end(key) for _ in range(50)))
        assert [members for members in ended if members is not None] == [{"a": 1}]


# Consents


async def test_a_consent_grows(world: World) -> None:
    """A consent only grows. One that is not remembered is only audited."""
    user, client = await world.user(), await world.client()
    session, stores = a_session(user), world.stores
    await stores.sessions.begin(session, None, {})
    before = await world.audited("consent_given")

    async def consented() -> set[str] | None:
        found = await stores.sessions.find_with_consent(session.session_key, client.client_id)
        assert found
        return None if found[1] is None else set(found[1])

    await stores.consents.add(user.user_id, client.client_id, ("openid",), is_remembered=False)
    assert await consented() is None
    await asyncio.gather(
        *(
            stores.consents.add(user.user_id, client.client_id, ("openid", f"s{n}"), is_remembered=True)
            for n in range(10)
        )
    )
    assert await consented() == {"openid", *(f"s{n}" for n in range(10))}
    assert await world.audited("consent_given") == before + 11


# Counted tries

PACE = Pace(
    free=3,
    first_wait=timedelta(seconds=20),
    longest_wait=timedelta(seconds=60),
    forgotten_after=timedelta(hours=1),
)


async def test_free_tries_then_a_wait_that_doubles(redis: RedisClient) -> None:
    """The wait doubles up to its maximum; refused attempts are not counted."""
    counters, key = RedisCounters(redis), uuid4().hex

    async def waits() -> float:
        wait = await counters.attempt("test", key, PACE)
        assert wait is not None
        return wait.total_seconds()

    assert [await counters.attempt("test", key, PACE) for _ in range(3)] == [None] * 3
    for most in (20, 40, 60, 60):
        assert most - 10 < await waits() <= most
        assert most - 10 < await waits() <= most
        await _let_time_pass(redis, key)
        counters = RedisCounters(redis)
        assert await counters.attempt("test", key, PACE) is None


async def _let_time_pass(redis: RedisClient, key: str) -> None:
    await redis.execute("HSET", f"{{tries:test:{_hashed(key)}}}", "opens_at", 0)


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


async def test_tries_at_once_are_bounded(redis: RedisClient) -> None:
    """Of a hundred attempts from two processes, only the free ones are admitted."""
    one, two, key = RedisCounters(redis), RedisCounters(redis), uuid4().hex
    outcomes = await asyncio.gather(*((one, two)[n % 2].attempt("test", key, PACE) for n in range(100)))
    assert outcomes.count(None) == 3


async def test_what_redis_forgets_the_process_remembers(redis: RedisClient) -> None:
    """After FLUSHALL, the count of a guesser is restored."""
    counters, key = RedisCounters(redis), uuid4().hex
    for _ in range(3):
        await counters.attempt("test", key, PACE)
    await redis.execute("DEL", f"{{tries:test:{_hashed(key)}}}")
    assert await counters.attempt("test", key, PACE) is not None


async def test_a_success_is_known_to_every_process(redis: RedisClient) -> None:
    """After a success, failures that other processes remember do not count."""
    one, two, key = RedisCounters(redis), RedisCounters(redis), uuid4().hex
    await one.attempt("test", key, PACE)
    await one.attempt("test", key, PACE)
    await two.attempt("test", key, PACE)
    await two.forget("test", key, PACE)
    assert [await one.attempt("test", key, PACE) for _ in range(3)] == [None] * 3


async def test_a_try_taken_back_was_none(redis: RedisClient) -> None:
    """An undone attempt does not count, and the count never becomes negative."""
    counters, key = RedisCounters(redis), uuid4().hex
    for _ in range(20):
        assert await counters.attempt("test", key, PACE) is None
        await counters.take_back("test", key)
        await counters.take_back("test", key)
    assert [await counters.attempt("test", key, PACE) for _ in range(3)] == [None] * 3
    assert await counters.attempt("test", key, PACE) is not None
