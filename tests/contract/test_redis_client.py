"""The Redis client: one connection for all requests, faults are Unavailable, and answers are not mixed up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.store import Unavailable
from shared.store.redis.transport.client import Script
from tests.redis_layouts import open_redis


@asynccontextmanager
async def _silent_server(path: Path, greets: bool = True) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """A server that answers only the handshake, or not even that."""
    connections: list[asyncio.StreamWriter] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while data := await reader.read(4096):
            if greets and b"SETINFO" in data:
                writer.write(b"+OK\r\n" * data.count(b"SETINFO"))

    async with await asyncio.start_unix_server(greet, str(path)):
        try:
            yield connections
        finally:
            for writer in connections:
                writer.close()


async def test_each_of_many_callers_gets_their_own_answer(redis_url: str) -> None:
    """Answers that arrive together are separated."""
    async with open_redis(redis_url) as redis:
        asked = [redis.execute("ECHO", str(number)) for number in range(500)]
        assert await asyncio.gather(*asked) == [b"%d" % number for number in range(500)]


async def test_an_answer_larger_than_one_read_arrives_whole(redis_url: str) -> None:
    """A large answer arrives complete, and does not shift later ones."""
    large = b"x" * 1_000_000
    async with open_redis(redis_url) as redis:
        asked = [redis.execute("ECHO", word) for word in (large, b"after")]
        assert await asyncio.gather(*asked) == [large, b"after"]


async def test_one_who_gives_up_leaves_the_others_their_answers(redis_url: str) -> None:
    """The answer to a cancelled request is dropped."""
    async with open_redis(redis_url) as redis:
        await redis.execute("PING")
        given_up = asyncio.create_task(redis.execute("ECHO", "first"))
        others = asyncio.create_task(redis.execute("ECHO", "second"))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await others == b"second"


async def test_an_error_of_redis_is_unavailable_and_concerns_its_own_command(redis_url: str) -> None:
    """A refused command does not affect others on the connection."""
    async with open_redis(redis_url) as redis:
        asked = [redis.execute("GET"), redis.execute("ECHO", "fine")]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(answers[0], Unavailable)
        assert answers[1] == b"fine"


async def test_a_connection_that_ends_is_unavailable_for_all_who_wait(redis_url: str) -> None:
    """Nothing is sent again, and the next command opens a new connection."""
    async with open_redis(redis_url) as redis, open_redis(redis_url) as other:
        number = await redis.execute("CLIENT", "ID")
        waiting = [asyncio.create_task(redis.execute("BLPOP", "nothing", 0)) for _ in range(2)]
        while b"cmd=blpop" not in await other.execute("CLIENT", "LIST", "ID", number):
            await asyncio.sleep(0)
        await other.execute("CLIENT", "KILL", "ID", number)
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(error) for error in ended] == [Unavailable, Unavailable]
        assert await redis.execute("PING") == b"PONG"


async def test_a_server_that_says_nothing_is_unavailable(tmp_path: Path) -> None:
    """Requests do not wait for ever, and the connection is dropped."""
    async with (
        _silent_server(tmp_path / "redis") as connections,
        open_redis(f"unix://{tmp_path}/redis") as redis,
    ):
        for attempt in range(1, 3):
            with pytest.raises(Unavailable):
                await redis.execute("PING")
            assert len(connections) == attempt


@pytest.mark.parametrize("greets", [True, False])
async def test_those_who_wait_for_a_connection_wait_together(tmp_path: Path, greets: bool) -> None:
    """One connection attempt is shared, even if its first caller gives up."""
    path = tmp_path / "redis"
    async with _silent_server(path, greets) as connections, open_redis(f"unix://{path}") as redis:
        first = asyncio.create_task(redis.execute("PING"))
        others = [asyncio.create_task(redis.execute("PING")) for _ in range(20)]
        await asyncio.sleep(0)
        first.cancel()
        ended = await asyncio.gather(*others, return_exceptions=True)
        assert {type(error) for error in ended} == {Unavailable}
        assert len(connections) == 1


async def test_no_server_at_all_is_unavailable(tmp_path: Path) -> None:
    """A process starts while Redis is down."""
    async with open_redis(f"unix://{tmp_path}/nothing") as redis:
        with pytest.raises(Unavailable):
            await redis.execute("PING")


async def test_a_script_is_loaded_where_the_server_does_not_know_it(redis_url: str) -> None:
    """A script is sent by its digest, and by its text if the server does not know it."""
    script = Script("count_failure")
    async with open_redis(redis_url) as redis:
        for _ in range(2):
            await redis.execute("SCRIPT", "FLUSH")
            await redis.run(script, ["{a}", "{a}:failures"], [5])
            assert await redis.execute("SCRIPT", "EXISTS", script.digest) == [1]
