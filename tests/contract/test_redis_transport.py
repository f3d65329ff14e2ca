"""The connection to a misbehaving Redis: every failure is Unavailable, and affects no other request."""

import ast
import asyncio
import importlib.metadata
import tomllib
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop
from packaging.requirements import Requirement
from redis.asyncio.connection import Connection, UnixDomainSocketConnection

from shared.store import Unavailable
from shared.store.redis.shared_counts import RedisSharedCounts
from shared.store.redis.transport.client import RedisClient
from shared.store.redis.transport.connect import connect, disconnect, transport_of
from shared.store.redis.transport.limits import LIMITS, Limits
from tests.contract.conftest import LAYOUTS
from tests.fake_redis import FakeRedis, echo, fake_redis
from tests.planted import planted
from tests.planted import redis as defects
from tests.redis_layouts import open_redis

PATIENT = Limits(silence=30, deadline=60)
"""For what must not depend on the speed of the machine."""


def _opened(server: FakeRedis, limits: Limits = PATIENT) -> AbstractAsyncContextManager[RedisClient]:
    return open_redis(server.url, limits)


async def _some_turns() -> None:
    for _ in range(50):  # enough for a round trip between two ends in this loop
        await asyncio.sleep(0)


async def _is_refused(redis: RedisClient) -> None:
    """The next command fails, without waiting for anything but the loop."""
    task = asyncio.create_task(redis.execute("PING"))
    await _some_turns()
    is_over = task.done()
    task.cancel()
    with suppress(asyncio.CancelledError), pytest.raises(Unavailable):
        await task
    assert is_over


@asynccontextmanager
async def _waiting(*requests: Coroutine[Any, Any, Any]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Pending requests, which are cancelled at the end."""
    tasks = [asyncio.create_task(request) for request in requests]
    try:
        await _some_turns()
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@planted(defects.protocol_errors_escape)
async def test_an_answer_that_is_not_the_protocol_is_unavailable(tmp_path: Path) -> None:
    """The connection is given up, and the next command is answered over another."""

    async def garbage_first(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        if len(server.connections) == 1:
            writer.write(b"?what\r\n")
        else:
            await echo(command, writer)

    async with fake_redis(tmp_path / "redis", garbage_first) as server, _opened(server) as redis:
        for outcome in await asyncio.gather(
            *(redis.execute("PING") for _ in range(3)), return_exceptions=True
        ):
            assert isinstance(outcome, Unavailable)
        assert await redis.execute("ECHO", "x") == b"x"


async def test_an_answer_to_no_command_is_nobody_elses(tmp_path: Path) -> None:
    """A server that answers twice loses its connection: a later command never gets the spare answer."""

    async def twice_at_first(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        await echo(command, writer)
        if len(server.connections) == 1:
            await echo(command, writer)

    async with fake_redis(tmp_path / "redis", twice_at_first) as server, _opened(server) as redis:
        assert await redis.execute("ECHO", "first") == b"first"
        outcome: Any = None
        with suppress(Unavailable):  # if the connection was given up only then
            outcome = await redis.execute("ECHO", "second")
        assert outcome in (None, b"second")
        assert await redis.execute("ECHO", "third") == b"third"


@planted(defects.empty_batches_are_sent)
async def test_an_empty_batch_shifts_no_answers(tmp_path: Path) -> None:
    """An empty batch takes no place in the order of the answers."""
    async with fake_redis(tmp_path / "redis") as server, _opened(server) as redis:
        await redis.execute("PING")
        requests = (redis.execute("ECHO", str(number)) for number in range(3))
        async with _waiting(redis.batch(), *requests) as tasks:
            assert [task.done() and task.result() for task in tasks] == [[], b"0", b"1", b"2"]


@pytest.mark.parametrize("redis_url", LAYOUTS, indirect=True)
async def test_a_batch_of_no_commands_has_no_answers(redis_url: str) -> None:
    """A batch without commands has no answers and shifts none."""
    async with open_redis(redis_url) as redis:
        assert await redis.execute("SET", "{a}", "1") == b"OK"
        empty = asyncio.create_task(redis.batch())
        assert await redis.execute("GET", "{a}") == b"1"
        assert await redis.execute("INCR", "{a}") == 2
        assert await empty == []
        assert await RedisSharedCounts(redis).add("a", {}, timedelta(minutes=1)) == {}


@planted(defects.only_silence_is_bounded)
async def test_a_request_behind_a_slow_server_has_a_deadline(tmp_path: Path) -> None:
    """Twelve requests behind a server that needs a tenth of a second for each: not all of them wait."""

    async def slow(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        await echo(command, writer)

    limits = Limits(silence=30, deadline=0.6)
    async with fake_redis(tmp_path / "redis", slow) as server, _opened(server, limits) as redis:
        await redis.execute("PING")
        asked = (redis.execute("ECHO", str(number)) for number in range(12))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(outcomes[-1], Unavailable)


@planted(defects.only_silence_is_bounded)
async def test_a_server_that_never_finishes_an_answer_is_unavailable(tmp_path: Path, guard: float) -> None:
    """The request ends although the server keeps sending."""
    dripping = asyncio.Event()

    async def drip(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        if command[-1] == b"first":
            await echo(command, writer)
            return
        writer.write(b"$100000\r\n")
        dripping.set()
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)

    limits = Limits(silence=10, deadline=0.3)
    async with fake_redis(tmp_path / "redis", drip) as server, _opened(server, limits) as redis:
        await redis.execute("ECHO", "first")
        with pytest.raises(Unavailable):
            async with asyncio.timeout(guard):
                await redis.execute("ECHO", "second")
        assert dripping.is_set()


async def test_a_late_answer_goes_to_nobody(tmp_path: Path) -> None:
    """A request that has timed out keeps its place in the order of the answers."""
    late = asyncio.Event()

    async def late_once(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        if command[-1] == b"late":
            while not late.is_set():  # alive all the time, with a part of the answer
                writer.write(b"$4\r\n" if not late_once_began else b"")
                late_once_began.append(True)
                await asyncio.sleep(0.01)
            writer.write(b"late\r\n")
        else:
            await echo(command, writer)

    late_once_began: list[bool] = []
    limits = Limits(silence=30, deadline=0.2)
    async with fake_redis(tmp_path / "redis", late_once) as server, _opened(server, limits) as redis:
        await redis.execute("ECHO", "first")
        over = asyncio.create_task(redis.execute("ECHO", "late"))
        with pytest.raises(Unavailable):
            await over
        following = asyncio.create_task(redis.execute("ECHO", "next"))
        await asyncio.sleep(0)
        late.set()
        assert await following == b"next"
        assert len(server.connections) == 1


async def _silent_after_first(command: list[bytes], writer: asyncio.StreamWriter) -> None:
    """Answer `first` alone."""
    if command[-1] == b"first":
        await echo(command, writer)


@planted(defects.queues_without_a_bound)
async def test_a_full_queue_refuses_at_once(tmp_path: Path) -> None:
    """Neither commands nor bytes pile up behind a server that does not answer."""
    limits = Limits(silence=30, deadline=60, commands=2)
    async with (
        fake_redis(tmp_path / "redis", _silent_after_first) as server,
        _opened(server, limits) as redis,
    ):
        await redis.execute("ECHO", "first")
        async with _waiting(redis.execute("PING"), redis.execute("PING")) as tasks:
            await _is_refused(redis)
            assert not any(task.done() for task in tasks)


@planted(defects.queues_without_a_bound)
async def test_a_server_that_does_not_read_is_not_written_to_for_ever(tmp_path: Path) -> None:
    """Unsent bytes are limited."""
    halted = asyncio.Event()

    async def read_no_more(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        await echo([b"x"], writer)
        await halted.wait()

    limits = Limits(silence=30, deadline=60, unsent=100_000)
    async with fake_redis(tmp_path / "redis", read_no_more) as server, _opened(server, limits) as redis:
        await redis.execute("PING")
        async with _waiting(redis.execute("ECHO", b"x" * 8_000_000)):
            await _is_refused(redis)
        halted.set()


@planted(defects.queues_without_a_bound)
async def test_those_who_wait_for_a_connection_are_bounded_too(tmp_path: Path) -> None:
    """A server that does not accept holds no more requests than one that does not answer."""
    limits, path = Limits(silence=30, deadline=60, commands=2), tmp_path / "redis"
    async with (
        fake_redis(path, greets=False) as server,
        _opened(server, limits) as redis,
        _waiting(redis.execute("PING"), redis.execute("PING")),
    ):
        await _is_refused(redis)


@planted(defects.faults_of_connecting_escape)
async def test_any_fault_while_connecting_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """uvloop raises RuntimeError for a connection that was reset during the handshake."""

    async def reset(self: Connection) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    monkeypatch.setattr(UnixDomainSocketConnection, "connect", reset)
    async with open_redis("unix:///nothing") as redis:
        with pytest.raises(Unavailable):
            await redis.execute("PING")


@planted(defects.faults_of_writing_escape)
async def test_a_write_to_a_connection_that_was_reset_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop raises RuntimeError for writes, too, and the next command reconnects."""
    async with fake_redis(tmp_path / "redis") as server, _opened(server) as redis:
        await redis.execute("PING")
        transport = redis._topology._pipeline._transport  # type: ignore[attr-defined]
        monkeypatch.setattr(transport, "write", _refuse_to_write, raising=True)
        await _is_refused(redis)
        assert await redis.execute("ECHO", "x") == b"x"


def _refuse_to_write(data: bytes) -> None:
    raise RuntimeError("the handler is closed")


def test_resets_under_uvloop_are_unavailable(tmp_path: Path) -> None:
    """Whenever the server hangs up: before, during or after the handshake."""

    async def scenario() -> None:
        async def hang_up(command: list[bytes], writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        async with fake_redis(tmp_path / "redis", hang_up) as server, _opened(server) as redis:
            for _ in range(50):
                asked = (redis.execute("PING") for _ in range(5))
                for outcome in await asyncio.gather(*asked, return_exceptions=True):
                    assert isinstance(outcome, Unavailable), outcome
                for writer in server.connections:
                    writer.transport.abort()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


async def test_a_connection_that_closed_before_it_was_taken_over_is_unavailable(tmp_path: Path) -> None:
    """Between the handshake and the first command."""
    async with fake_redis(tmp_path / "redis") as server:
        connection = await connect(server.url, PATIENT)
        server.connections[0].close()
        while not connection._reader.at_eof():  # type: ignore[union-attr]
            await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            transport_of(connection)
        await disconnect(connection)


# What the transport uses of redis-py


def _uses_of_private_names() -> Iterator[tuple[str, str]]:
    """Each private attribute of something other than `self`, with its file."""
    for path in (Path(__file__).parents[2] / "shared/store/redis/transport").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and node.attr.startswith("_")
                and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
                and not node.attr.startswith("__")
            ):
                yield path.name, node.attr


def test_the_version_of_redis_py_is_pinned() -> None:
    """Private names move in any release: the installed one is the one that this was written for."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    (pin,) = (Requirement(line) for line in project["dependencies"] if line.startswith("redis["))
    assert [(one.operator, one.version) for one in pin.specifier] == [
        ("==", importlib.metadata.version("redis"))
    ]


def test_private_names_are_used_in_one_module() -> None:
    """Two private names are used, in one module."""
    assert sorted(set(_uses_of_private_names())) == [("connect.py", "_reader"), ("connect.py", "_writer")]


async def test_the_private_names_mean_what_they_meant(tmp_path: Path) -> None:
    """redis-py keeps the streams of an open connection, and nothing has been read beyond the handshake."""
    async with fake_redis(tmp_path / "redis") as server:
        connection = await connect(server.url, LIMITS)
        reader, writer = connection._reader, connection._writer
        assert type(reader) is asyncio.StreamReader
        assert type(writer) is asyncio.StreamWriter
        assert transport_of(connection) is writer.transport
        await disconnect(connection)
        assert connection._writer is None
        with pytest.raises(Unavailable):
            transport_of(connection)
