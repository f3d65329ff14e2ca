"""The end of a serving process, in which no request is lost.

1. SIGTERM: `/readyz` answers 503, and each answer is the last on its connection. Everything is still served
   for the drain delay, while proxies turn to other processes. SIGINT and a second SIGTERM end the delay.
2. The process takes over the connections that the kernel has accepted for it, and closes the socket.
3. Requests that are on their way on open connections have LAST_REQUESTS to arrive. A proxy that keeps idle
   connections for less than the drain delay has closed those by then, so that none ends under its request.
4. The runner's cleanup finishes the requests in flight.
"""

import asyncio
import signal
import socket
from contextlib import suppress
from datetime import timedelta

import structlog
from aiohttp import web

from shared.server.app import READINESS
from shared.server.http.server import Runner

LAST_REQUESTS = timedelta(seconds=1)
_POLL = 0.01  # seconds

logger = structlog.get_logger()


class StopSignals:
    """The signals that tell this process to stop."""

    def __init__(self) -> None:
        self._is_told = asyncio.Event()
        self._is_hurried = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGINT, self._hurry)

    def _stop(self) -> None:
        if self._is_told.is_set():
            self._is_hurried.set()
        self._is_told.set()

    def _hurry(self) -> None:
        self._is_told.set()
        self._is_hurried.set()

    async def told(self) -> None:
        """Wait for the first signal."""
        await self._is_told.wait()

    async def hurried(self, delay: timedelta) -> None:
        """Wait for a signal that allows no delay, *delay* at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(delay.total_seconds()):
                await self._is_hurried.wait()


def announce(app: web.Application, runner: Runner) -> None:
    """The first step."""
    logger.info("draining")
    app[READINESS].add("shutdown", lambda: "the process is stopping")
    runner.drain()


async def close(runner: Runner, site: web.SockSite, listening: socket.socket) -> None:
    """The second step: whatever is not accepted now, the kernel resets."""
    with listening.dup() as queue:
        queue.setblocking(False)
        await site.stop()
        accepted = []
        with suppress(OSError):
            while True:
                accepted.append(queue.accept()[0])
    assert runner.server is not None
    for connection in accepted:
        await asyncio.get_running_loop().connect_accepted_socket(runner.server, connection)


async def last_requests(runner: Runner, patience: timedelta) -> None:
    """The third step: until no connection is open, *patience* at most."""
    assert runner.server is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(patience.total_seconds()):
            while runner.server.connections:  # noqa: ASYNC110  # aiohttp reports no connection's end
                await asyncio.sleep(_POLL)
