"""A Redis that is full or has lost its data: writes are Unavailable, and lost records are absent."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from shared.live import clock
from shared.model import Authentication, Session
from shared.store import Pace, Unavailable
from shared.store.redis.counters import RedisCounters
from shared.store.redis.interactions import RedisInteractions
from shared.store.redis.pushed_requests import RedisPushedRequests
from shared.store.redis.replay_marks import RedisReplayMarks
from shared.store.redis.sessions import RedisSessionContents
from shared.store.redis.shared_counts import RedisSharedCounts
from shared.store.redis.transport.client import RedisClient
from tests.flow.processes import running
from tests.redis_layouts import IN_MEMORY, Node, open_redis

MINUTE = timedelta(minutes=1)
KEY = b"k" * 32
PACE = Pace(free=5, first_wait=MINUTE, longest_wait=MINUTE, forgotten_after=MINUTE)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A Redis of the test's own, without a limit yet."""
    node = Node(tmp_path / "node", IN_MEMORY)
    with running(node.command()):
        yield node


@pytest.fixture
async def redis(node: Node) -> AsyncIterator[RedisClient]:
    """A client of it."""
    async with open_redis(node.url) as opened:
        yield opened


def _a_session() -> Session:
    now = clock.now()
    return Session(
        session_key=KEY,
        sid=uuid4(),
        user_id=uuid4(),
        username="ada",
        epoch=0,
        authentication=Authentication(auth_time=now, acr="0", amr=("pwd",)),
        expires_at=now + MINUTE,
    )


async def test_a_full_redis_refuses_writes_and_answers_reads(node: Node, redis: RedisClient) -> None:
    """Sessions continue, stored records can be found and ended, and nothing is evicted."""
    sessions, interactions = RedisSessionContents(redis, MINUTE), RedisInteractions(redis)
    pushed, marks, now = RedisPushedRequests(redis), RedisReplayMarks(redis), clock.now()
    session = _a_session()
    await sessions.put(session, None)
    await interactions.add(KEY, {"parameters": {}}, MINUTE)
    await pushed.add(KEY, {"client_id": "a"}, MINUTE)
    node.ask("CONFIG", "SET", "maxmemory", 1)
    refused = (
        lambda: sessions.put(session, None),
        lambda: interactions.add(b"n" * 32, {}, MINUTE),
        lambda: pushed.add(b"n" * 32, {}, MINUTE),
        lambda: marks.add("test", "client", "jti", now, now + MINUTE),
        lambda: RedisSharedCounts(redis).add("test", {"a": 1}, MINUTE),
        lambda: RedisCounters(redis).attempt("test", "a", PACE),
    )
    for write in refused:
        with pytest.raises(Unavailable):
            await write()
    record = await sessions.use(KEY)
    assert record is not None
    assert record.sid == session.sid
    assert await interactions.find(KEY) == {"parameters": {}}
    assert await pushed.find(KEY) == {"client_id": "a"}
    assert await pushed.end(KEY)
    assert await interactions.end(KEY) == {"parameters": {}}
    node.ask("CONFIG", "SET", "maxmemory", 0)
    assert await RedisSharedCounts(redis).add("test", {"a": 1}, MINUTE) == {"a": 1}


async def test_what_a_flush_took_is_absent(node: Node, redis: RedisClient) -> None:
    """Flows and sessions start again; the process remembers counted attempts."""
    sessions, interactions, counters = (
        RedisSessionContents(redis, MINUTE),
        RedisInteractions(redis),
        RedisCounters(redis),
    )
    await sessions.put(_a_session(), None)
    await interactions.add(KEY, {"parameters": {}}, MINUTE)
    for _ in range(PACE.free):
        assert await counters.attempt("test", "a", PACE) is None
    node.ask("FLUSHALL")
    assert await sessions.use(KEY) is None
    assert await interactions.find(KEY) is None
    assert not await interactions.replace(KEY, {"parameters": {}})
    assert await interactions.end(KEY) is None
    assert await counters.attempt("test", "a", PACE)
