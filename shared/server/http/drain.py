"""Graceful shutdown of a serving process, without losing requests.

1. On SIGTERM, `/readyz` answers 503, and each response closes its connection. The process keeps serving for
   the drain delay, while proxies switch to other processes. SIGINT or a second SIGTERM ends the delay.
2. The process accepts the connections in the kernel's queue, and closes the listening socket.
3. Requests that are in transit on open connections have LAST_REQUESTS to arrive. A proxy that keeps idle
   connections for less than the drain delay has already closed them, so no request meets a closed connection.
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
        self._is_stopping = asyncio.Event()
        self._is_drain_over = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGINT, self._end_drain)

    def _stop(self) -> None:
        if self._is_stopping.is_set():
            self._is_drain_over.set()
        self._is_stopping.set()

    def _end_drain(self) -> None:
        self._is_stopping.set()
        self._is_drain_over.set()

    async def stop_requested(self) -> None:
        """Wait for the first signal."""
        await self._is_stopping.wait()

    async def drain_ended(self, delay: timedelta) -> None:
        """Wait at most *delay* for a signal that ends the drain."""
        with suppress(TimeoutError):
            async with asyncio.timeout(delay.total_seconds()):
                await self._is_drain_over.wait()


def announce(app: web.Application, runner: Runner) -> None:
    """The first step."""
    logger.info("draining")
    app[READINESS].add("shutdown", lambda: "the process is stopping")
    runner.drain()


async def close(runner: Runner, site: web.SockSite, listening: socket.socket) -> None:
    """Step 2: accept the queued connections, which the kernel would otherwise reset."""
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
    """Step 3: wait until no connection is open, at most for *patience*."""
    assert runner.server is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(patience.total_seconds()):
            while runner.server.connections:  # noqa: ASYNC110  # aiohttp reports no connection's end
                await asyncio.sleep(_POLL)
