"""One connection to Redis that all requests of a process share.

What they send in one turn of the loop leaves in one write, and the answers come in the order of the commands:
a command costs a tenth of one that takes a connection of its own. Nothing here blocks: no command that waits
in the server (BLPOP and its like) may be sent.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection


@dataclass(slots=True)
class _Batch:
    """Commands that were sent together, and their answers so far."""

    length: int
    done: asyncio.Future[list[Any]]
    answers: list[Any] = field(default_factory=list)


class Pipeline(asyncio.Protocol):
    """A connection that redis-py has made: TLS, authentication and the database are settled."""

    def __init__(self, connection: AbstractConnection, patience: float) -> None:
        """*patience*: the seconds within which a server that has been asked must say something."""
        self.is_open = True  # whether it takes commands; those that it took may still be answered
        self._connection = connection
        self._patience = patience
        self._reader = hiredis.Reader()
        self._waiting: deque[_Batch] = deque()
        self._outbox: list[bytes] = []
        self._has_heard = True
        self._loop = asyncio.get_running_loop()
        writer = connection._writer  # redis-py has no way to hand it over
        assert writer is not None
        self._transport = cast(asyncio.Transport, writer.transport)
        self._transport.set_protocol(self)
        self._watching = self._loop.call_later(patience, self._watch)

    @property
    def is_awaited(self) -> bool:
        return bool(self._waiting)

    def send(self, commands: Sequence[bytes]) -> asyncio.Future[list[Any]]:
        """Send packed commands; an error of Redis is one of the answers, and no exception.

        The future raises OSError when the connection ends first: what became of the commands is unknown.
        """
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox.extend(commands)
        batch = _Batch(len(commands), self._loop.create_future())
        self._waiting.append(batch)
        return batch.done

    async def close(self) -> None:
        """Commands that wait for their answers fail."""
        self.is_open = False
        self._watching.cancel()
        self._transport.abort()
        await self._connection.disconnect(nowait=True)

    def _flush(self) -> None:
        self._transport.write(b"".join(self._outbox))
        self._outbox.clear()

    def _watch(self) -> None:
        if self._waiting and not self._has_heard:
            self.is_open = False
            self._transport.abort()
            return
        self._has_heard = not self._waiting
        self._watching = self._loop.call_later(self._patience, self._watch)

    def data_received(self, data: bytes) -> None:
        self._has_heard = True
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not False:
            batch = self._waiting[0]
            batch.answers.append(answer)
            if len(batch.answers) == batch.length:
                self._waiting.popleft()
                if not batch.done.done():  # its request may have been given up
                    batch.done.set_result(batch.answers)

    def eof_received(self) -> None:
        self.is_open = False

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        self._watching.cancel()
        for batch in self._waiting:
            if not batch.done.done():
                batch.done.set_exception(error or ConnectionResetError("the connection was closed"))
        self._waiting.clear()
