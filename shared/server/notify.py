"""Tells systemd about this process, as sd_notify(3) and sd_watchdog_enabled(3) describe.

Outside a unit of `Type=notify` there is nobody to tell, and nothing is done.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from shared.server.readiness import Readiness

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"
_POLL = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """Where the service manager listens, and how often it wants to hear from this process."""

    address: str = ""  # a path, or `@` and a name in the abstract namespace; empty: there is none
    watchdog: timedelta | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str], pids: frozenset[int]) -> Self:
        """The one that *environment* names.

        *pids* are those of this process and its parent: a worker of `serve --workers` answers the watchdog
        for its parent, which has no event loop.
        """
        watchdog = None
        with suppress(KeyError, ValueError):
            if int(environment.get("WATCHDOG_PID", min(pids))) in pids:
                watchdog = timedelta(microseconds=int(environment["WATCHDOG_USEC"]))
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog)

    def tell(self, state: str) -> None:
        """Send *state*. A manager that does not listen loses it."""
        if not self.address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, suppress(OSError):
            sender.setblocking(False)
            name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
            sender.sendto(state.encode(), name)

    async def follow(self, readiness: Readiness) -> None:
        """Tell once that the process is ready, and from then on that its event loop turns."""
        while readiness.faults():  # noqa: ASYNC110 - checks are asked, and tell nobody
            await asyncio.sleep(_POLL)
        self.tell(READY)
        while self.watchdog:
            self.tell(ALIVE)
            await asyncio.sleep(self.watchdog.total_seconds() / 2)


@asynccontextmanager
async def followed(readiness: Readiness) -> AsyncIterator[ServiceManager]:
    """The service manager of this process, which hears of it until the end of the context."""
    manager = ServiceManager.of(os.environ, frozenset({os.getpid(), os.getppid()}))
    following = asyncio.create_task(manager.follow(readiness)) if manager.address else None
    try:
        yield manager
    finally:
        if following:
            following.cancel()
