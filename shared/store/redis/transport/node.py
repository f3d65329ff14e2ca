"""One server, over one pipeline that connects when it is needed."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection

from shared.store import Unavailable
from shared.store.redis.transport.connect import disconnect
from shared.store.redis.transport.limits import Limits, within
from shared.store.redis.transport.pipeline import Pipeline
from shared.store.redis.transport.single_flight import SingleFlight
from shared.store.redis.transport.topology import Command

Connect = Callable[[], Awaitable[AbstractConnection]]


def pack(command: Command) -> bytes:
    """The bytes of a command."""
    packed: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type] # its stub knows of one part
    return packed


class RedisNode:
    """A `Topology` of the server that *connect* reaches at the time."""

    def __init__(self, connect: Connect, limits: Limits) -> None:
        """Opens no connection yet, so that a process starts while Redis is down."""
        self._connect = connect
        self._limits = limits
        self._pipeline: Pipeline | None = None
        self._connecting = SingleFlight(self._reconnect)
        self._waiting = 0  # requests that wait for a connection

    def send(self, commands: Sequence[Command]) -> Awaitable[list[Any]]:
        """Goes straight to an open pipeline: a coroutine of its own would cost every request."""
        pipeline = self._pipeline
        if pipeline is not None and pipeline.is_open:
            return pipeline.send([pack(command) for command in commands])
        return self._connect_and_send(commands)

    @property
    def is_idle(self) -> bool:
        """Whether no request waits for it."""
        return not self._connecting.is_running and (self._pipeline is None or self._pipeline.is_idle)

    def rediscover(self) -> None:
        """Send no more commands over this connection. Those already sent may still be answered."""
        if self._pipeline is not None:
            self._pipeline.is_open = False

    async def close(self) -> None:
        await self._connecting.close()
        if self._pipeline is not None:
            await self._pipeline.close()

    async def _connect_and_send(self, commands: Sequence[Command]) -> list[Any]:
        if self._waiting >= self._limits.commands:
            raise Unavailable("Redis: too many requests wait for a connection")
        self._waiting += 1
        try:
            async with within(self._limits.deadline):
                pipeline = await self._connecting.result()
                if not pipeline.is_open:
                    raise Unavailable("Redis: the connection was closed")
                return await pipeline.send([pack(command) for command in commands])
        finally:
            self._waiting -= 1

    async def _reconnect(self) -> Pipeline:
        if self._pipeline is not None:
            await self._pipeline.close()
        connection = await self._connect()
        try:
            self._pipeline = Pipeline(connection, self._limits)
        except Unavailable:
            await disconnect(connection)
            raise
        return self._pipeline
