"""A fake Redis server whose answers a test chooses, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import hiredis

Answer = Callable[[list[bytes], asyncio.StreamWriter], Awaitable[None]]
"""Answers a command, given as its parts."""


async def echo(command: list[bytes], writer: asyncio.StreamWriter) -> None:
    """Answer as ECHO does, with the last part of the command."""
    writer.write(b"$%d\r\n%b\r\n" % (len(command[-1]), command[-1]))


@dataclass(slots=True)
class FakeRedis:
    """`connections`: the writers of all connections, including closed ones."""

    url: str
    connections: list[asyncio.StreamWriter] = field(default_factory=list)


@asynccontextmanager
async def fake_redis(path: Path, answer: Answer = echo, *, greets: bool = True) -> AsyncIterator[FakeRedis]:
    """A server on a unix socket. It answers the handshake of redis-py by itself, if it *greets*."""
    server = FakeRedis(f"unix://{path}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections.append(writer)
        commands = hiredis.Reader()
        while data := await reader.read(65536):
            commands.feed(data)
            while (command := commands.gets()) is not False:
                if b"SETINFO" in command and not greets:
                    continue
                if b"SETINFO" in command:
                    writer.write(b"+OK\r\n")
                else:
                    await answer(command, writer)

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_unix_server(guarded, str(path)):
        try:
            yield server
        finally:
            for writer in server.connections:
                writer.transport.abort()
            closing = (writer.wait_closed() for writer in server.connections)
            await asyncio.gather(*closing, return_exceptions=True)
