"""Opens connections. redis-py sets up TLS, authentication and the database, then hands over the transport.

The only module that uses private names of redis-py, which is why `pyproject.toml` pins its version exactly.
"""

import asyncio
from contextlib import suppress
from typing import Any, cast

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo

from shared.config.redis_address import HostPort
from shared.store import Unavailable
from shared.store.redis.transport.limits import Limits, within

_DRIVER = DriverInfo()  # once: redis-py would read its package's metadata for each connection


async def connect(url: str, limits: Limits, place: HostPort | None = None) -> AbstractConnection:
    """A connection to the server of *url*, or to the server at *place* with the same credentials and TLS.

    Raises Unavailable.
    """
    options: dict[str, Any] = dict(parse_url(url))
    kind = options.pop("connection_class", Connection)
    if place:
        options |= {"host": place.host, "port": place.port}
    connection: AbstractConnection = kind(
        **options,
        driver_info=_DRIVER,
        protocol=2,  # exactly one answer to each command
        socket_timeout=limits.silence,
        socket_connect_timeout=limits.silence,
        # A retry would repeat the command, and find the value spent by the first one.
        retry=Retry(NoBackoff(), 0),
    )
    try:
        async with within(limits.deadline):
            await connection.connect()  # type: ignore[no-untyped-call] # redis-py's is untyped
    except BaseException as fault:
        await disconnect(connection)
        if isinstance(fault, Exception):  # also RuntimeError: uvloop's, for a connection that was just reset
            raise Unavailable(f"Redis: {type(fault).__name__} {fault}") from fault
        raise
    return connection


async def ask(connection: AbstractConnection, limits: Limits, *command: str) -> Any:
    """The answer to one command, before the transport is handed over. Raises Unavailable."""
    try:
        async with within(limits.deadline):
            await connection.send_command(*command)
            return await connection.read_response()
    except Exception as fault:
        raise Unavailable(f"Redis: {type(fault).__name__} {fault}") from fault


async def disconnect(connection: AbstractConnection) -> None:
    """Close a connection without waiting for its peer. Never raises."""
    with suppress(Exception):
        await connection.disconnect(nowait=True)


def transport_of(connection: AbstractConnection) -> asyncio.Transport:
    """The transport of an open connection, for the caller to own. Raises Unavailable if it has closed."""
    reader, writer = connection._reader, connection._writer
    if reader is None or writer is None or reader.at_eof() or writer.transport.is_closing():
        raise Unavailable("Redis: the connection was closed")
    return cast(asyncio.Transport, writer.transport)
