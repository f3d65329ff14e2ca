"""The way to one server, over one pipeline that is made when it is needed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.redis_address import HostPort
from shared.store.redis.transport.pipeline import Pipeline
from shared.store.redis.transport.single_flight import SingleFlight
from shared.store.redis.transport.topology import Command

SOCKET_TIMEOUT = 0.5  # seconds

Connect = Callable[[], Awaitable[AbstractConnection]]


async def connect(url: str, place: HostPort | None = None) -> AbstractConnection:
    """A connection to the server of *url*, or to one that is spoken to in the same way and stands at *place*.

    Raises RedisError or OSError.
    """
    named: dict[str, Any] = dict(parse_url(url))
    kind = named.pop("connection_class", Connection)
    if place:
        named |= {"host": place.host, "port": place.port}
    connection: AbstractConnection = kind(
        **named,
        protocol=2,  # of which one answer belongs to one command, and nothing comes unasked
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=SOCKET_TIMEOUT,
        # A retry repeats the command: what is spent once would look spent by another.
        retry=Retry(NoBackoff(), 0),
    )
    try:
        await connection.connect()  # type: ignore[no-untyped-call] # redis-py's is untyped
    except asyncio.CancelledError:
        await connection.disconnect(nowait=True)
        raise
    return connection


def packed(command: Command) -> bytes:
    """As it is sent."""
    sent: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type] # its stub knows of one part
    return sent


class RedisNode:
    """A `Topology` to whichever server *connect* leads to at the time."""

    def __init__(self, connect: Connect) -> None:
        """Opens no connection yet: a process starts while Redis is away."""
        self._connect = connect
        self._pipeline: Pipeline | None = None
        self._connecting = SingleFlight(self._reconnect)

    def send(self, commands: Sequence[Command]) -> Awaitable[list[Any]]:
        """Without a detour where the line is open: a request pays for each."""
        pipeline = self._pipeline
        if pipeline is not None and pipeline.is_open:
            return pipeline.send([packed(command) for command in commands])
        return self._connect_and_send(commands)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for it."""
        return not (self._connecting.is_running or (self._pipeline and self._pipeline.is_awaited))

    def rediscover(self) -> None:
        """What has been sent may still be answered."""
        if self._pipeline is not None:
            self._pipeline.is_open = False

    async def close(self) -> None:
        self._connecting.cancel()
        if self._pipeline is not None:
            await self._pipeline.close()

    async def _connect_and_send(self, commands: Sequence[Command]) -> list[Any]:
        pipeline = await self._connecting.result()
        if not pipeline.is_open:
            raise ConnectionResetError("the connection was closed")
        return await pipeline.send([packed(command) for command in commands])

    async def _reconnect(self) -> Pipeline:
        if self._pipeline is not None:
            await self._pipeline.close()
        self._pipeline = Pipeline(await self._connect(), SOCKET_TIMEOUT)
        return self._pipeline
