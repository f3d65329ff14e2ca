"""Open connections that no caller uses."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from shared.store.postgres.transport.connection import Connection

IDLE_LIFETIME = 300.0  # seconds: a firewall may forget what is idle for longer


class IdleConnections:
    """The last used is taken first, as its statements are prepared; the first used is closed first."""

    def __init__(self, retire: Callable[[Connection], None]) -> None:
        """*retire* gets each connection that has been idle for IDLE_LIFETIME."""
        self._retire = retire
        self._connections: deque[tuple[Connection, float]] = deque()  # the last used on the right
        self._reaping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def is_watched(self) -> bool:
        """Whether connections will be closed after a while: there is at least one."""
        return self._reaping is not None

    def add(self, connection: Connection, now: float) -> None:
        """Keep a connection whose last statement has ended. *now*: as of `time.monotonic`."""
        self._connections.append((connection, now))
        if self._reaping is None:
            self._reap_later()

    def take(self) -> Connection | None:
        """The last used connection. It may have been closed by the server."""
        return self._connections.pop()[0] if self._connections else None

    def take_first(self) -> Connection | None:
        """The connection that has been idle for longest."""
        return self._connections.popleft()[0] if self._connections else None

    def close(self) -> None:
        """Watch no more."""
        if self._reaping is not None:
            self._reaping.cancel()

    def _reap_later(self) -> None:
        self._reaping = asyncio.get_running_loop().call_later(IDLE_LIFETIME, self._reap)

    def _reap(self) -> None:
        """Retire what has been idle for IDLE_LIFETIME."""
        self._reaping = None
        since = time.monotonic() - IDLE_LIFETIME
        while self._connections and self._connections[0][1] <= since:
            self._retire(self._connections.popleft()[0])
        if self._connections:
            self._reap_later()
