"""Serves an application on a TCP port or a unix socket until a signal stops it."""

import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
import uvloop
from aiohttp import web

from shared.process.operator_error import OperatorError
from shared.server.app import READINESS
from shared.server.http.drain import LAST_REQUESTS, StopSignals, announce, close, last_requests
from shared.server.http.server import Runner
from shared.server.notify import STOPPING, followed

BACKLOG = 1024
SHUTDOWN_TIMEOUT = 5.0  # seconds for running requests

logger = structlog.get_logger()


class ListenError(OperatorError):
    """The address cannot be listened on. The message says why."""


@dataclass(frozen=True, slots=True)
class Listen:
    """`HOST:PORT` or `unix:PATH`."""

    address: str

    def bind(self) -> socket.socket:
        """A bound, listening socket. Raises ListenError."""
        try:
            return self._unix() if self.address.startswith("unix:") else self._tcp()
        except (OSError, OverflowError, ValueError) as error:
            raise ListenError(f"cannot listen on {self.address}: {error}") from None

    def _tcp(self) -> socket.socket:
        host, _, port = self.address.rpartition(":")
        if int(port) > 65535:  # of a service's last workers
            raise ValueError("there is no such port")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host.strip("[]"), int(port)), family=family, backlog=BACKLOG)

    def _unix(self) -> socket.socket:
        path = Path(self.address.removeprefix("unix:"))
        with suppress(FileNotFoundError):
            if stat.S_ISSOCK(path.lstat().st_mode):  # left by a process that was killed
                path.unlink()
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        bound.bind(str(path))
        bound.listen(BACKLOG)
        return bound


async def until_told_to_stop(app: web.Application, listening: socket.socket, drain_delay: timedelta) -> None:
    """Serve on *listening* until SIGINT or SIGTERM, then stop as `shared/server/http/drain.py` describes."""
    runner = Runner(app, shutdown_timeout=SHUTDOWN_TIMEOUT)
    signals = StopSignals()
    await runner.setup()
    try:
        site = web.SockSite(runner, listening, backlog=BACKLOG)
        await site.start()
        logger.info("serving")
        async with followed(app[READINESS]) as manager:
            await signals.stop_requested()
            manager.tell(STOPPING)
            announce(app, runner)
            await signals.drain_ended(drain_delay)
            await close(runner, site, listening)
            await last_requests(runner, min(drain_delay, LAST_REQUESTS))
    finally:
        await runner.cleanup()


def serve(make: Callable[[], web.Application], listening: socket.socket, drain_delay: timedelta) -> None:
    """Run `until_told_to_stop` in a new event loop, in which the application is made."""
    uvloop.run(until_told_to_stop(make(), listening, drain_delay))
