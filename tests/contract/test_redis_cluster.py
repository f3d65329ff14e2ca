"""Redis Cluster: commands go to the node of their slot, also while slots move and nodes fail."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any
from uuid import uuid4

import pytest
from redis.crc import key_slot
from redis.exceptions import ResponseError

from shared.store import Unavailable
from shared.store.redis.replay_marks import RedisReplayMarks
from shared.store.redis.transport.client import RedisClient, Script
from tests.deployment import remember_for_long
from tests.redis_layouts import Cluster, Node, a_cluster, kill, open_redis


@pytest.fixture
async def redis(redis_cluster: Cluster) -> AsyncIterator[RedisClient]:
    """A client that knows the slots of the cluster."""
    async with open_redis(redis_cluster.url) as opened:
        await opened.execute("PING")
        yield opened


@pytest.fixture
def key(redis_cluster: Cluster) -> str:
    """A key at the first node."""
    return redis_cluster.key_at(redis_cluster.nodes[0])


@contextmanager
def _silent(cluster: Cluster, node: Node) -> Iterator[None]:
    process = cluster.children[node.port].process
    assert process
    process.send_signal(SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(SIGCONT)


async def test_answers_of_many_nodes_come_in_the_order_of_the_commands(
    redis_cluster: Cluster, redis: RedisClient
) -> None:
    """Answers of several nodes come as if from one server."""
    names = [f"{{{uuid4().hex}}}" for _ in range(100)]
    assert {redis_cluster.owner(name).port for name in names} == {node.port for node in redis_cluster.nodes}
    await redis.batch(*(("SET", name, name) for name in names))
    assert await redis.batch(*(("GET", name) for name in names)) == [name.encode() for name in names]


async def test_one_node_is_enough_to_begin_with(redis_cluster: Cluster, key: str) -> None:
    """Any named node is enough, even if the other named ones are down."""
    url = f"redis+cluster://127.0.0.1:1,{redis_cluster.nodes[2].place},127.0.0.1:2"
    async with open_redis(url) as redis:
        assert await redis.execute("INCR", key) == 1


async def test_a_slot_that_has_moved_is_followed(
    redis_cluster: Cluster, redis: RedisClient, key: str
) -> None:
    """MOVED: the command runs once, at the new node, and the next one goes there directly."""
    home, target = redis_cluster.nodes[:2]
    assert await redis.execute("INCR", key) == 1
    redis_cluster.begin_to_move(key, target)
    redis_cluster.carry(key, target)
    redis_cluster.end_move(key, target)
    try:
        assert await redis.batch(("INCR", key), ("INCR", key)) == [2, 3]
        refused = _refusals(home)
        assert await redis.execute("INCR", key) == 4
        assert _refusals(home) == refused
    finally:
        await redis.execute("DEL", key)
        redis_cluster.end_move(key, home)


def _refusals(node: Node) -> int:
    moved = node.ask("INFO", "errorstats").get("errorstat_MOVED", {"count": 0})
    return int(moved["count"])


async def test_what_is_on_the_move_is_asked_for_where_it_goes(
    redis_cluster: Cluster, redis: RedisClient, key: str
) -> None:
    """ASK: moved keys are found at the target, others at the source, and scripts are loaded there."""
    home, target = redis_cluster.nodes[:2]
    gone, still, script = key, f"{key}:still", Script("attempt")
    await redis.batch(("SET", gone, 1), ("SET", still, 1))
    redis_cluster.begin_to_move(gone, target)
    try:
        redis_cluster.carry(gone, target)
        assert await redis.batch(("INCR", gone), ("INCR", still), ("INCR", gone)) == [2, 2, 3]
        target.ask("SCRIPT", "FLUSH")
        assert await redis.run(script, [f"{key}:new"], [3, 1000, 1000, 1000, 0, 0]) == [0, 1, 0]
    finally:
        await redis.batch(("DEL", gone), ("DEL", still), ("DEL", f"{key}:new"))
        redis_cluster.end_move(key, home)


async def test_what_is_asked_while_its_slot_moves_is_done_once(
    redis_cluster: Cluster, redis: RedisClient, key: str
) -> None:
    """With twenty callers and a slot that moves back and forth, no count is lost or doubled."""
    home, target = redis_cluster.nodes[:2]
    answers: list[int] = []
    has_moved = asyncio.Event()

    async def count() -> None:
        while not has_moved.is_set():
            answers.append(await redis.execute("INCR", key))

    def move() -> None:
        for node in [target, home] * 3:
            redis_cluster.begin_to_move(key, node)
            redis_cluster.carry(key, node)
            redis_cluster.end_move(key, node)

    async with asyncio.TaskGroup() as callers:
        for _ in range(20):
            callers.create_task(count())
        await asyncio.to_thread(move)
        has_moved.set()
    assert sorted(answers) == list(range(1, len(answers) + 1))


async def test_keys_that_are_torn_apart_are_waited_for(
    redis_cluster: Cluster, redis: RedisClient, key: str
) -> None:
    """TRYAGAIN: one of two keys has moved, until the other one follows."""
    home, target = redis_cluster.nodes[:2]
    one, other = f"{key}:one", f"{key}:other"
    await redis.batch(("SET", one, 1), ("SET", other, 2))
    redis_cluster.begin_to_move(key, target)
    redis_cluster.carry(one, target)
    asked = asyncio.create_task(redis.execute("MGET", one, other))
    try:
        async with asyncio.timeout(10):
            while not home.ask("INFO", "errorstats").get("errorstat_TRYAGAIN"):
                await asyncio.sleep(0)
        redis_cluster.carry(other, target)
        assert await asked == [b"1", b"2"]
    finally:
        await redis.batch(("DEL", one), ("DEL", other))
        redis_cluster.end_move(key, home)
        home.ask("CONFIG", "RESETSTAT")


async def test_a_node_that_says_nothing_concerns_its_own_slots(
    redis_cluster: Cluster, redis: RedisClient, key: str
) -> None:
    """Slots of other nodes are served, and nothing is sent again."""
    home, other = redis_cluster.nodes[0], redis_cluster.key_at(redis_cluster.nodes[1])
    with _silent(redis_cluster, home):
        with pytest.raises(Unavailable):
            await redis.batch(("INCR", key), ("SET", other, 1))
        with pytest.raises(Unavailable):
            await redis.execute("PING")
        assert await redis.execute("GET", other) == b"1"
    assert await redis.execute("INCR", key) in (1, 2)


async def test_no_node_at_all_is_unavailable() -> None:
    """A process starts while the cluster is down."""
    async with open_redis("redis+cluster://127.0.0.1:1,127.0.0.1:2") as redis:
        with pytest.raises(Unavailable, match="no node knows"):
            await redis.execute("PING")


async def test_a_slot_that_nobody_serves_is_unavailable(
    redis_cluster: Cluster, redis: RedisClient, key: str
) -> None:
    """A slot without a node is Unavailable, and so is a check of all nodes."""
    slot = key_slot(key.encode())
    for node in redis_cluster.nodes:
        node.ask("CLUSTER", "DELSLOTS", slot)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await redis.execute("INCR", key)
    async with asyncio.timeout(10):
        while await _answers(redis):
            await asyncio.sleep(0.01)
    with suppress(ResponseError):  # the owner's last claim may have reached a node that had forgotten it
        redis_cluster.nodes[0].ask("CLUSTER", "DELSLOTS", slot)
    redis_cluster.nodes[0].ask("CLUSTER", "ADDSLOTS", slot)
    redis_cluster.agree()
    assert await _once_it_is_back(redis, "INCR", key) == 1


async def _answers(redis: RedisClient) -> bool:
    with suppress(Unavailable):
        await redis.execute("PING")
        return True
    return False


async def _once_it_is_back(redis: RedisClient, *command: str) -> Any:
    async with asyncio.timeout(30):
        while True:
            with suppress(Unavailable):
                return await redis.execute(*command)
            await asyncio.sleep(0.01)


async def test_a_bucket_of_marks_may_move(redis_cluster: Cluster, redis: RedisClient) -> None:
    """Replay marks move with their slot."""
    await remember_for_long(redis_cluster.url)
    marks, jti, other = RedisReplayMarks(redis), *_of_one_bucket()
    assert await _add(marks, jti)
    bucket = _bucket(jti)
    home = redis_cluster.owner(bucket)
    target = next(node for node in redis_cluster.nodes if node != home)
    redis_cluster.begin_to_move(bucket, target)
    for name in home.ask("KEYS", f"{bucket}*"):
        redis_cluster.carry(name.decode(), target)
    redis_cluster.end_move(bucket, target)
    try:
        assert not await _add(marks, jti)
        assert await _add(marks, other)
    finally:
        redis_cluster.flush()
        redis_cluster.end_move(bucket, home)


def _bucket(jti: str) -> str:
    mark = hashlib.sha256(f"dpop\0client\0{jti}".encode()).hexdigest()
    return f"{{jti:{mark[:2]}}}"


def _of_one_bucket() -> tuple[str, str]:
    first, *others = (f"jti-{number}" for number in range(10_000))
    return first, next(jti for jti in others if _bucket(jti) == _bucket(first))


async def _add(marks: RedisReplayMarks, jti: str) -> bool:
    now = datetime.now(UTC)
    return await marks.add("dpop", "client", jti, now, now + timedelta(minutes=1))


@pytest.fixture
def small_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """One node and its replica."""
    with a_cluster(tmp_path, 1, replicas=1) as cluster:
        yield cluster


async def test_a_replica_that_takes_over_is_found(small_cluster: Cluster) -> None:
    """During a failover requests get Unavailable; afterwards no `jti` is accepted twice."""
    (node,), (replica,) = small_cluster.nodes, small_cluster.replicas
    await remember_for_long(small_cluster.url)
    async with open_redis(small_cluster.url) as redis:
        marks = RedisReplayMarks(redis)
        await redis.execute("SET", "{one}", 1)
        assert await _add(marks, "jti")
        assert node.ask("WAIT", 1, 5000) == 1
        kill(small_cluster.children[node.port])
        for _ in range(3):
            with pytest.raises(Unavailable):
                await redis.execute("GETDEL", "{one}")
        replica.ask("CLUSTER", "FAILOVER", "TAKEOVER")
        assert await _once_it_is_back(redis, "GETDEL", "{one}") == b"1"
        assert await redis.execute("GETDEL", "{one}") is None
        assert not await _add(marks, "jti")
        with pytest.raises(Unavailable):
            await _add(marks, "another")
