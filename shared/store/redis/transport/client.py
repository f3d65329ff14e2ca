"""The Redis client of the stores: every failure is `Unavailable`, waits are short, nothing is sent twice."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import hiredis

from shared.config.redis_address import RedisAddress
from shared.store import Unavailable
from shared.store.redis.transport.cluster import RedisCluster
from shared.store.redis.transport.connect import connect
from shared.store.redis.transport.limits import LIMITS, Limits
from shared.store.redis.transport.node import RedisNode
from shared.store.redis.transport.sentinels import Sentinels
from shared.store.redis.transport.topology import Argument, Command, Topology

_LUA = Path(__file__).parents[2] / "lua"


class Script:
    """A Lua script from `lua/`, sent by its digest, and loaded if the server does not know it."""

    def __init__(self, name: str) -> None:
        self.source = (_LUA / f"{name}.lua").read_text("utf-8")
        self.digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()


class RedisClient:
    """The commands that the stores use, one round trip each. Connections are opened when needed."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology

    @classmethod
    def open(cls, url: str, limits: Limits = LIMITS) -> "RedisClient":
        """Opens no connection yet, so that a process starts while Redis is down. Raises ValueError."""
        return cls(_topology(RedisAddress.parse(url), limits))

    def within(self, wrap: Callable[[Topology], Topology]) -> "RedisClient":
        """The same client, with its topology wrapped."""
        return RedisClient(wrap(self._topology))

    async def close(self) -> None:
        await self._topology.close()

    async def execute(self, *command: Argument) -> Any:
        """Send one command. Returns Redis' answer, with strings as bytes."""
        (answer,) = await self.batch(command)
        return answer

    async def batch(self, *commands: Command) -> list[Any]:
        """Send several commands in one round trip, each on its own: not a transaction.

        Raises Unavailable, within the deadline, without an answer or if any command got an error.
        """
        answers = await self._topology.send(commands)
        for answer in answers:
            if isinstance(answer, hiredis.ReplyError):
                if str(answer).startswith(("READONLY", "MASTERDOWN")):  # from a primary that has been demoted
                    self._topology.rediscover()
                raise Unavailable(f"Redis: {answer}") from answer
        return answers

    async def run(self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument]) -> Any:
        """Run one Lua script, atomically."""
        operands = (len(keys), *keys, *arguments)
        try:
            return await self.execute("EVALSHA", script.digest, *operands)
        except Unavailable as fault:
            if not str(fault.__cause__).startswith("NOSCRIPT"):
                raise
        return await self.execute("EVAL", script.source, *operands)


def _topology(address: RedisAddress, limits: Limits) -> Topology:
    match address.layout:
        case "server":
            return RedisNode(partial(connect, address.url, limits), limits)
        case "sentinel":
            return RedisNode(Sentinels(address, limits).primary, limits)
        case "cluster":
            return RedisCluster(address, limits)
