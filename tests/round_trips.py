"""Counts round trips at the sockets, with a relay between a service and a store.

A round trip to PostgreSQL is a message after which the client waits for ReadyForQuery: `Sync`, which ends a
statement of the extended protocol, or a simple `Query`, which BEGIN, COMMIT and a pool's reset are. The
Parse of a statement's first use comes with a Sync of its own and counts too: measure after a warm-up.

A round trip to Redis begins with the first bytes that a client sends after the server has last spoken: a
pipeline is one, however many writes it takes, and two commands that wait for each other are two.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_TYPE, _LENGTH = 1, 4  # bytes, of a PostgreSQL message; its length counts itself


@dataclass(slots=True)
class Counter:
    """The number of round trips over all connections."""

    round_trips: int = 0


class PostgresClient:
    """The messages of a PostgreSQL client on one connection. The first has no type."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._said = b""
        self._has_begun = False

    def says(self, data: bytes) -> None:
        self._said += data
        while message := self._message():
            if message[:_TYPE] in (b"S", b"Q"):
                self._counter.round_trips += 1

    def hears(self) -> None:
        """Answers are relayed without being parsed."""

    def _message(self) -> bytes:
        head = _TYPE if self._has_begun else 0
        length = head + int.from_bytes(self._said[head : head + _LENGTH], "big")
        if len(self._said) < head + _LENGTH or len(self._said) < length:
            return b""
        message, self._said = self._said[:length], self._said[length:]
        is_first, self._has_begun = not self._has_begun, True
        return b"\0" + message if is_first else message


class RedisStream:
    """The requests of a Redis client on one connection."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._is_waiting = False

    def says(self, _: bytes) -> None:
        if not self._is_waiting:
            self._counter.round_trips += 1
        self._is_waiting = True

    def hears(self) -> None:
        self._is_waiting = False


Client = PostgresClient | RedisStream


async def _forward(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, note: Callable[[bytes], None]
) -> None:
    try:
        while data := await source.read(65536):
            note(data)
            target.write(data)
            await target.drain()
    finally:
        target.close()


@asynccontextmanager
async def counting(server: Path, listen: Path, kind: type[Client]) -> AsyncIterator[Counter]:
    """Relays the unix socket *listen* to *server*, and counts what passes."""
    counter = Counter()
    relays: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = kind(counter)
        there_reader, there_writer = await asyncio.open_unix_connection(str(server))
        for one in (
            _forward(reader, there_writer, client.says),
            _forward(there_reader, writer, lambda _: client.hears()),
        ):
            task = asyncio.create_task(one)
            relays.add(task)
            task.add_done_callback(relays.discard)

    async with await asyncio.start_unix_server(relay, str(listen)):
        yield counter
    for task in relays:
        task.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
