"""Serving an application on a TCP port or a unix socket until a signal says stop."""

import asyncio
import signal
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvloop
from aiohttp import web

from shared.web.server import Runner

BACKLOG = 1024
SHUTDOWN_TIMEOUT = 5.0  # seconds for the requests in flight

logger = structlog.get_logger()


class ListenError(Exception):
    """The address cannot be listened on; says why."""


@dataclass(frozen=True, slots=True)
class Listen:
    """`HOST:PORT` or `unix:PATH`."""

    address: str

    def bind(self) -> socket.socket:
        """A bound, listening socket. Raises ListenError."""
        try:
            return self._unix() if self.address.startswith("unix:") else self._tcp()
        except (OSError, ValueError) as error:
            raise ListenError(f"cannot listen on {self.address}: {error}") from None

    def _tcp(self) -> socket.socket:
        host, _, port = self.address.rpartition(":")
        if int(port) > 65535:  # that of a service's last workers
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


async def _until_told_to_stop(app: web.Application, listening: socket.socket) -> None:
    runner = Runner(app, shutdown_timeout=SHUTDOWN_TIMEOUT)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await runner.setup()
    try:
        await web.SockSite(runner, listening, backlog=BACKLOG).start()
        logger.info("serving")
        await stop.wait()
    finally:
        await runner.cleanup()


def serve(make: Callable[[], web.Application], listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are finished."""
    uvloop.run(_until_told_to_stop(make(), listening))
