"""Callers that wait for a connection while every place of the pool is taken."""

import asyncio
from collections import deque
from collections.abc import Callable

from shared.store.postgres.transport.connection import Connection

ACQUIRE_TIMEOUT = 1.0  # seconds until a caller is told that every connection is busy


class WaitingCallers:
    """Served in the order in which they came: with a connection, or with None, a place for a new one."""

    def __init__(self, take_back: Callable[[Connection | None], None]) -> None:
        """*take_back* gets what a caller was served who was cancelled at the same moment."""
        self._take_back = take_back
        self._callers: deque[asyncio.Future[Connection | None]] = deque()
        self.timed_out = 0

    def __len__(self) -> int:
        return sum(not caller.done() for caller in self._callers)

    async def wait(self) -> Connection | None:
        """What the caller is served. Raises TimeoutError after ACQUIRE_TIMEOUT."""
        loop = asyncio.get_running_loop()
        caller: asyncio.Future[Connection | None] = loop.create_future()
        self._callers.append(caller)
        expiry = loop.call_later(ACQUIRE_TIMEOUT, _expire, caller)
        try:
            return await caller
        except TimeoutError:
            self.timed_out += 1
            raise
        except asyncio.CancelledError:
            if caller.done() and not caller.cancelled() and not caller.exception():
                self._take_back(caller.result())
            raise
        finally:
            expiry.cancel()

    def serve(self, connection: Connection | None) -> bool:
        """Serve the first caller who still waits. Returns whether there was one."""
        while self._callers:
            caller = self._callers.popleft()
            if not caller.done():
                caller.set_result(connection)
                return True
        return False


def _expire(caller: "asyncio.Future[Connection | None]") -> None:
    if not caller.done():
        caller.set_exception(TimeoutError("every connection is busy"))
