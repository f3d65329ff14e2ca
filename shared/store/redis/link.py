"""Redis for the stores: its faults are `Unavailable`, waiting is short, and nothing is done twice."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import hiredis
from redis.exceptions import RedisError

from shared.redis_address import RedisAddress
from shared.store import Unavailable
from shared.store.redis.way import Argument, Command, Way
from shared.store.redis.ways import way_to

_LUA = Path(__file__).parent.parent / "lua"


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


class Link:
    """The commands that the stores use, each one round trip, over connections made when they are needed."""

    def __init__(self, way: Way) -> None:
        self._way = way

    @classmethod
    def open(cls, url: str) -> "Link":
        """Opens no connection yet: a process starts while Redis is away. Raises ValueError."""
        return cls(way_to(RedisAddress.parse(url)))

    async def close(self) -> None:
        await self._way.close()

    async def command(self, *parts: Argument) -> Any:
        """One command; its answer as Redis gives it, strings as bytes."""
        (answer,) = await self.commands(parts)
        return answer

    async def commands(self, *commands: Command) -> list[Any]:
        """Several commands in one round trip, each on its own: not a transaction."""
        with _DEPENDENCY:
            answers = await self._way.send(commands)
        for answer in answers:
            if isinstance(answer, hiredis.ReplyError):
                if str(answer).startswith(("READONLY", "MASTERDOWN")):  # of a primary that is one no more
                    self._way.find_anew()
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
