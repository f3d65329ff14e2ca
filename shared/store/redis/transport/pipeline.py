"""One connection to a Redis server that all requests of a process share.

Commands of one iteration of the event loop leave in one write, and answers arrive in the order of the
commands. A command costs a tenth of one that takes a connection from redis-py's pool. What redis-py has and
this lacks:

- retries, health checks and maintenance notifications: a request fails with its connection, and the next one
  reconnects;
- RESP3, push messages, client-side caching, publish/subscribe, MONITOR, and transactions with WATCH;
- blocking commands such as BLPOP: nothing sent here may block, and a large answer delays the answers behind
  it;
- parsed answers: they are bytes, integers, lists and errors, as hiredis returns them;
- reading from replicas, and redis-py's metrics.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection

from shared.store import Unavailable
from shared.store.redis.transport.connect import disconnect, transport_of
from shared.store.redis.transport.limits import Limits

_INCOMPLETE = object()
_LEAST_PAUSE = 0.01  # seconds between two checks for overdue commands


@dataclass(slots=True)
class _Batch:
    """Commands that were sent together, and their answers so far."""

    length: int
    sent_at: float
    done: asyncio.Future[list[Any]]
    answers: list[Any] = field(default_factory=list)

    def fail(self, fault: Unavailable) -> None:
        if not self.done.done():  # its request may have given up
            self.done.set_exception(fault)


class Pipeline(asyncio.Protocol):
    """Takes over a connection that redis-py has opened."""

    def __init__(self, connection: AbstractConnection, limits: Limits) -> None:
        """Raises Unavailable if the connection has closed in the meantime."""
        self.is_open = True  # whether it accepts commands; accepted ones may be answered after it closes
        self._connection = connection
        self._limits = limits
        self._first_check = min(limits.silence, limits.deadline)
        self._reader = hiredis.Reader(notEnoughData=_INCOMPLETE)
        self._waiting: deque[_Batch] = deque()
        self._commands = 0  # in `_waiting`
        self._outbox: list[bytes] = []
        self._is_writable = True
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._transport = transport_of(connection)
        self._transport.set_write_buffer_limits(high=limits.unsent)
        self._transport.set_protocol(self)

    @property
    def is_idle(self) -> bool:
        """Whether no command waits for its answer."""
        return not self._waiting

    def send(self, commands: Sequence[bytes]) -> asyncio.Future[list[Any]]:
        """Send packed commands. An error of Redis is one of the answers, not an exception.

        Raises Unavailable if too much is already waiting. The future raises Unavailable if the connection
        ends first or the answers are late: whether the commands ran is unknown.
        """
        done = self._loop.create_future()
        if not commands:
            done.set_result([])
            return done
        if not self._is_writable or self._commands + len(commands) > self._limits.commands:
            raise Unavailable("Redis: too many commands wait")
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox.extend(commands)
        self._commands += len(commands)
        now = self._loop.time()
        self._waiting.append(_Batch(len(commands), now, done))
        if self._timer is None:
            self._timer = self._loop.call_at(now + self._first_check, self._check)
        return done

    async def close(self) -> None:
        """Close the connection. Commands that wait for their answers fail."""
        self._end("the connection was closed")
        await disconnect(self._connection)

    def _flush(self) -> None:
        sent = b"".join(self._outbox)
        self._outbox.clear()
        if sent:
            try:
                self._transport.write(sent)
            except RuntimeError as fault:  # uvloop's, for a connection that was just reset
                self._end(str(fault))

    def _check(self) -> None:
        """Fail overdue commands, and close a connection whose server is silent."""
        self._timer = None
        if not self._waiting:
            return
        now = self._loop.time()
        silent_at = max(self._heard_at, self._waiting[0].sent_at) + self._limits.silence
        if silent_at <= now:
            self._end("the server is silent")
            return
        due = self._fail_overdue(now)
        self._timer = self._loop.call_at(max(min(silent_at, due), now + _LEAST_PAUSE), self._check)

    def _fail_overdue(self, now: float) -> float:
        """The time when the next batch is due. Overdue batches keep their places: answers may still come."""
        for batch in self._waiting:
            due = batch.sent_at + self._limits.deadline
            if due > now:
                return due
            batch.fail(Unavailable("Redis: no answer in time"))
        return float("inf")

    def _end(self, reason: str) -> None:
        self.is_open = False
        self._outbox.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._transport.abort()
        while self._waiting:
            self._waiting.popleft().fail(Unavailable(f"Redis: {reason}"))
        self._commands = 0

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not _INCOMPLETE:
                if not self._waiting:
                    self._end("an answer to no command")
                    return
                self._deliver(answer)
        except hiredis.HiredisError as fault:
            self._end(f"{type(fault).__name__} {fault}")

    def _deliver(self, answer: Any) -> None:
        batch = self._waiting[0]
        batch.answers.append(answer)
        if len(batch.answers) == batch.length:
            self._waiting.popleft()
            self._commands -= batch.length
            if not batch.done.done():  # its request may have given up
                batch.done.set_result(batch.answers)

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True

    def eof_received(self) -> None:
        self.is_open = False

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"the connection was lost{f': {error}' if error else ''}")
