"""A process's way to Redis: its faults are `Unavailable`, nothing is retried, and waiting is short."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.store import Unavailable
from shared.store.redis.line import Line

SOCKET_TIMEOUT = 0.5  # seconds

_LUA = Path(__file__).parent.parent / "lua"

Argument = bytes | str | int | float


class _Dependency:
    """For `with`: every fault of Redis or the way to it becomes Unavailable."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, RedisError | OSError | TimeoutError | asyncio.IncompleteReadError):
            raise Unavailable(f"Redis: {type(error).__name__} {error}") from error


_DEPENDENCY = _Dependency()


class Script:
    """A Lua script from `lua/`, sent by its digest and loaded when the server does not know it."""

    def __init__(self, name: str) -> None:
        self.source = (_LUA / f"{name}.lua").read_text("utf-8")
        self.digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()


def _packed(parts: Sequence[Argument]) -> bytes:
    packed: bytes = hiredis.pack_command(tuple(parts))  # type: ignore[arg-type] # its stub knows of one part
    return packed


class Link:
    """The commands that the stores use, each one round trip, over one connection made when it is needed."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._line: Line | None = None
        self._connecting = asyncio.Lock()

    @classmethod
    def open(cls, url: str) -> "Link":
        """Opens no connection yet: a process starts while Redis is away."""
        named: dict[str, Any] = dict(parse_url(url))
        kind = named.pop("connection_class", Connection)
        connection = kind(
            **named,
            protocol=2,  # of which one answer belongs to one command, and nothing comes unasked
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            # A retry repeats the command: what is spent once would look spent by another.
            retry=Retry(NoBackoff(), 0),
        )
        return cls(connection)

    async def close(self) -> None:
        if self._line is not None:
            self._line.close()
        await self._connection.disconnect(nowait=True)

    async def command(self, *parts: Argument) -> Any:
        """One command; its answer as Redis gives it, strings as bytes."""
        (answer,) = await self.commands(parts)
        return answer

    async def commands(self, *commands: Sequence[Argument]) -> list[Any]:
        """Several commands in one round trip, each on its own: not a transaction."""
        with _DEPENDENCY:
            line = self._line if self._line and self._line.is_open else await self._connected()
            answers = await line.send([_packed(parts) for parts in commands])
        for answer in answers:
            if isinstance(answer, hiredis.ReplyError):
                raise Unavailable(f"Redis: {answer}") from answer
        return answers

    async def run(self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument]) -> Any:
        """One Lua script, atomically."""
        operands = (len(keys), *keys, *arguments)
        try:
            return await self.command("EVALSHA", script.digest, *operands)
        except Unavailable as fault:
            if not str(fault.__cause__).startswith("NOSCRIPT"):
                raise
        return await self.command("EVAL", script.source, *operands)

    async def _connected(self) -> Line:
        async with self._connecting:
            if self._line is None or not self._line.is_open:
                await self._connection.disconnect(nowait=True)
                await self._connection.connect()  # type: ignore[no-untyped-call] # redis-py's is untyped
                self._line = Line(self._connection, SOCKET_TIMEOUT)
            return self._line
