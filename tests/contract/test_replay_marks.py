"""`ReplayMarks` with the real Redis: each `jti` is accepted once, even if Redis loses its data."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.store import Unavailable
from shared.store.redis.replay_marks import RedisReplayMarks
from shared.store.redis.transport.client import RedisClient
from tests.contract.conftest import LAYOUTS
from tests.deployment import remember_for_long

pytestmark = pytest.mark.parametrize("redis_url", LAYOUTS, indirect=True)

KIND = "client_assertion"
EPOCHS = [f"{{jti:{number:02x}}}:epoch" for number in range(256)]


def _in(seconds: float) -> datetime:
    return datetime.fromtimestamp(time.time() + seconds, UTC)


async def _add(marks: RedisReplayMarks, jti: str, *, owner: str = "client", kind: str = KIND) -> bool:
    return await marks.add(kind, owner, jti, _in(0), _in(60))


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisClient]:
    """A Redis that looks an hour old."""
    await remember_for_long(redis_url)
    opened = RedisClient.open(redis_url)
    yield opened
    await opened.close()


@pytest.fixture
def marks(redis: RedisClient) -> RedisReplayMarks:
    """Its replay marks."""
    return RedisReplayMarks(redis)


async def test_a_jti_counts_once(marks: RedisReplayMarks) -> None:
    """The second use is refused in every process."""
    jti = uuid4().hex
    assert await _add(marks, jti)
    assert not await _add(marks, jti)


async def test_of_many_at_once_one_is_the_first(redis: RedisClient) -> None:
    """Fifty proofs with one jti, over two processes' worth of stores."""
    jti, stores = uuid4().hex, [RedisReplayMarks(redis), RedisReplayMarks(redis)]
    outcomes = await asyncio.gather(*(_add(stores[number % 2], jti) for number in range(50)))
    assert outcomes.count(True) == 1


async def test_owners_and_kinds_do_not_meet(marks: RedisReplayMarks) -> None:
    """One client's jti never blocks another's, and no crafted jti affects others."""
    jti = uuid4().hex
    assert await _add(marks, jti, owner="a")
    assert await _add(marks, jti, owner="b")
    assert await _add(marks, jti, owner="a", kind="dpop")
    assert await _add(marks, f"a\0{jti}", owner="")


@pytest.mark.parametrize("jti", [":*?[]{}", "a\nb", "a\0b", "{jti:00}:epoch", "é\ud800", "x" * 512])
async def test_a_jti_is_data(marks: RedisReplayMarks, jti: str) -> None:
    """Any text can be a jti."""
    assert await _add(marks, jti)
    assert not await _add(marks, jti)


async def test_nothing_from_before_a_loss_of_memory_counts(
    redis: RedisClient, marks: RedisReplayMarks
) -> None:
    """After FLUSHALL, used and new jtis from before cannot be distinguished, so neither is accepted."""
    jti = uuid4().hex
    assert await _add(marks, jti)
    await redis.execute("FLUSHALL")
    for known in (jti, uuid4().hex):
        with pytest.raises(Unavailable):
            await _add(marks, known)
    assert await marks.add(KIND, "client", uuid4().hex, _in(11), _in(60))


async def test_all_buckets_begin_at_once_after_a_loss(redis: RedisClient, marks: RedisReplayMarks) -> None:
    """Ten seconds after the first refusal, assertions of every bucket are accepted again."""
    await redis.execute("FLUSHALL")
    with pytest.raises(Unavailable):
        await _add(marks, uuid4().hex)
    epochs = await redis.batch(*(("GET", key) for key in EPOCHS))
    assert None not in epochs


async def test_a_mark_that_is_still_there_is_seen(redis: RedisClient, marks: RedisReplayMarks) -> None:
    """A known replay is still recognized after a loss of other marks."""
    jti = uuid4().hex
    assert await _add(marks, jti)
    await redis.batch(*(("DEL", key) for key in EPOCHS))
    assert not await _add(marks, jti)


async def test_another_server_starts_the_rule_anew(
    marks: RedisReplayMarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failover may have lost the last marks, which the new replication id shows."""
    assert await _add(marks, uuid4().hex)
    monkeypatch.setattr(marks, "_since", {b"0" * 40: float("-inf")})
    with pytest.raises(Unavailable):
        await _add(marks, uuid4().hex)
    assert await marks.add(KIND, "client", uuid4().hex, _in(11), _in(60))


async def test_marks_go_when_the_assertion_has(redis: RedisClient, marks: RedisReplayMarks) -> None:
    """Marks expire when their assertion does."""
    jti = uuid4().hex
    await _add(marks, jti)
    mark = hashlib.sha256(f"{KIND}\0client\0{jti}".encode()).hexdigest()
    assert 60_000 < await redis.execute("PTTL", f"{{jti:{mark[:2]}}}:{mark}") <= 71_000
