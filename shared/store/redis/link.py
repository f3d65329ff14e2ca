"""A process's way to Redis: its faults are `Unavailable`, nothing is retried, and waiting is short."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from shared.store import Unavailable

SOCKET_TIMEOUT = 0.5  # seconds
WAIT_FOR_CONNECTION = 1.0
MAX_CONNECTIONS = 50

_LUA = Path(__file__).parent.parent / "lua"

Argument = bytes | str | int | float


@contextmanager
def dependency() -> Iterator[None]:
    """Turn every fault of Redis or the way to it into Unavailable."""
    try:
        yield
    except (RedisError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise Unavailable(f"Redis: {type(error).__name__} {error}") from error


class Script:
    """A Lua script from `lua/`, sent by its digest and loaded when the server does not know it."""

    def __init__(self, name: str) -> None:
        self.source = (_LUA / f"{name}.lua").read_text("utf-8")
        self.digest: str | None = None


class Link:
    """The commands that the stores use, each one round trip."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._execute: Callable[..., Awaitable[Any]] = client.execute_command

    @classmethod
    def open(cls, url: str) -> "Link":
        """Opens no connection yet: a process starts while Redis is away."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=WAIT_FOR_CONNECTION,
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            # A retry repeats the command: what is spent once would look spent by another.
            retry=Retry(NoBackoff(), 0),
        )
        return cls(Redis(connection_pool=pool))

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def command(self, *parts: Argument) -> Any:
        """One command; its answer as redis-py gives it, strings as bytes."""
        with dependency():
            return await self._execute(*parts)

    async def commands(self, *commands: Sequence[Argument]) -> list[Any]:
        """Several commands in one round trip, each on its own: not a transaction."""
        with dependency():
            pipeline = self._client.pipeline(transaction=False)
            for parts in commands:
                pipeline.execute_command(*parts)
            return await pipeline.execute()

    async def run(self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument]) -> Any:
        """One Lua script, atomically."""
        with dependency():
            if script.digest is None:
                script.digest = await self._client.script_load(script.source)
            operands = (len(keys), *keys, *arguments)
            try:
                return await self._execute("EVALSHA", script.digest, *operands)
            except NoScriptError:
                return await self._execute("EVAL", script.source, *operands)
