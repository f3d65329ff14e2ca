"""The way to one server, over one line that is made when it is needed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.redis_address import HostPort
from shared.store.redis.joint import Joint
from shared.store.redis.line import Line
from shared.store.redis.way import Command

SOCKET_TIMEOUT = 0.5  # seconds

Connect = Callable[[], Awaitable[AbstractConnection]]


async def connected(url: str, place: HostPort | None = None) -> AbstractConnection:
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


class Server:
    """A `Way` to whichever server *connect* leads to at the time."""

    def __init__(self, connect: Connect) -> None:
        """Opens no connection yet: a process starts while Redis is away."""
        self._connect = connect
        self._line: Line | None = None
        self._connecting = Joint(self._reconnect)

    def send(self, commands: Sequence[Command]) -> Awaitable[list[Any]]:
        """Without a detour where the line is open: a request pays for each."""
        line = self._line
        if line is not None and line.is_open:
            return line.send([packed(command) for command in commands])
        return self._connect_and_send(commands)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for it."""
        return not (self._connecting.is_under_way or (self._line and self._line.is_awaited))

    def find_anew(self) -> None:
        """What has been sent may still be answered."""
        if self._line is not None:
            self._line.is_open = False

    async def close(self) -> None:
        self._connecting.cancel()
        if self._line is not None:
            await self._line.close()

    async def _connect_and_send(self, commands: Sequence[Command]) -> list[Any]:
        line = await self._connecting.outcome()
        if not line.is_open:
            raise ConnectionResetError("the connection was closed")
        return await line.send([packed(command) for command in commands])

    async def _reconnect(self) -> Line:
        if self._line is not None:
            await self._line.close()
        self._line = Line(await self._connect(), SOCKET_TIMEOUT)
        return self._line
