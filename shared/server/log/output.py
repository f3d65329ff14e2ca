"""Standard error as the destination of the log. A write never blocks, raises or ends the process.

Lines that the reader does not accept immediately wait in a small buffer. When it is full, and while writes
fail (a full disk, a closed pipe), lines are dropped and counted. The count is logged when writing works
again.
"""

import asyncio
import os
import select
import socket
import stat
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import orjson

from shared.server.metrics import count_event

MAX_WAITING = 64 * 1024  # bytes
RETRY_DELAY = 0.25  # seconds
_PIPE_BUF = select.PIPE_BUF  # a pipe takes this many bytes whole or not at all
_NEWLINE = ord("\n")

Write = Callable[[memoryview], int]
"""Writes without blocking and returns the number of bytes written. Raises OSError."""


class LogOutput:
    """Writes whole lines in order, from any thread."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._begun = b""  # the rest of a line that has been written in part
        self._waiting = b""  # whole lines
        self._dropped = 0  # lines that have not been reported as dropped yet
        self._is_retrying = False
        self._lock = threading.Lock()

    def write(self, lines: bytes) -> None:
        """Write whole lines now, buffer them, or drop them."""
        with self._lock:
            if self._is_behind:
                self._catch_up()
            if self._begun or self._waiting:
                self._keep(lines)
            else:
                self._send(lines)
            if self._is_behind:
                self._retry_later()

    @property
    def _is_behind(self) -> bool:
        return bool(self._begun or self._waiting or self._dropped)

    def _push(self, data: bytes) -> tuple[int, bool]:
        """The number of bytes written, and whether the rest is worth keeping: the reader is only slow."""
        written = 0
        try:
            while written < len(data):
                written += self._write(memoryview(data)[written:])
        except BlockingIOError:
            return written, True
        except OSError:
            return written, False
        return written, True

    def _send(self, lines: bytes) -> None:
        written, is_slow = self._push(lines)
        if written == len(lines):
            return
        is_at_start = not written or lines[written - 1] == _NEWLINE
        end = written if is_at_start else lines.index(b"\n", written) + 1
        self._begun, rest = lines[written:end], lines[end:]
        if is_slow:
            self._keep(rest)
        else:
            self._drop(rest)

    def _catch_up(self) -> None:
        if self._begun:
            written, _ = self._push(self._begun)
            self._begun = self._begun[written:]
        if self._waiting and not self._begun:
            buffered, self._waiting = self._waiting, b""
            self._send(buffered)
        if self._dropped and not (self._begun or self._waiting):
            notice = _notice(self._dropped)
            written, _ = self._push(notice)
            if written:
                self._begun, self._dropped = notice[written:], 0

    def _keep(self, lines: bytes) -> None:
        if len(self._waiting) + len(lines) <= MAX_WAITING:
            self._waiting += lines
        else:
            self._drop(lines)

    def _drop(self, lines: bytes) -> None:
        count = lines.count(b"\n")
        self._dropped += count
        count_event("log_line", "dropped", count)

    def _retry_later(self) -> None:
        if self._is_retrying:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # in another thread: the next line retries
            return
        self._is_retrying = True
        loop.call_later(RETRY_DELAY, self._retry)

    def _retry(self) -> None:
        self._is_retrying = False
        self.write(b"")


def _notice(dropped: int) -> bytes:
    notice = {
        "count": dropped,
        "event": "log_lines_dropped",
        "level": "warning",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    return orjson.dumps(notice) + b"\n"


def standard_error() -> LogOutput:
    """The log output of this process."""
    return LogOutput(_nowhere if sys.stderr is None else writer(sys.stderr.fileno()))


def writer(descriptor: int) -> Write:
    """A non-blocking writer to *descriptor*, which stays blocking for other processes that share it."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        connected = socket.socket(fileno=os.dup(descriptor))
        return lambda data: connected.send(data, socket.MSG_DONTWAIT)
    if stat.S_ISREG(mode):
        return lambda data: os.write(descriptor, data)
    try:
        own = os.open(f"/dev/fd/{descriptor}", os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:  # of another account, or a pipe without a reader
        return _when_writable(descriptor)
    if sys.platform != "linux":  # elsewhere this is only another name of the same description
        os.close(own)
        return _when_writable(descriptor)
    return lambda data: os.write(own, _whole_lines(data))


def _whole_lines(data: memoryview) -> memoryview:
    """As many whole lines as a pipe accepts atomically, so that lines of several processes never mix."""
    if len(data) <= _PIPE_BUF:
        return data
    end = bytes(data[:_PIPE_BUF]).rfind(b"\n") + 1
    return data[: end or bytes(data).index(b"\n") + 1]


def _when_writable(descriptor: int) -> Write:
    """A writer that first checks that *descriptor* is writable.

    Another process that fills the pipe between the two calls can still block this one for a moment.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)

    def write(data: memoryview) -> int:
        if not poll.poll(0):
            raise BlockingIOError
        return os.write(descriptor, _whole_lines(data)[:_PIPE_BUF])

    return write


def _nowhere(_: memoryview) -> int:
    raise OSError("there is no standard error")
