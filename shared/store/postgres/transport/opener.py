"""Opening connections to a server that may be away."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.store.postgres.transport.connection import Connection

Connect = Callable[[], Awaitable[Connection]]


class Opener:
    """Opens connections; after a failure one caller tries, and the others share its fault.

    A halted server accepts connections in its kernel and starts a backend for each of them when it resumes,
    although its client has long left. So callers who come again and again must not each leave one there.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._is_away = False
        self._attempt: asyncio.Future[None] | None = None

    async def open(self) -> Connection:
        """A new connection. Raises what *connect* does, and OSError for another caller's failure."""
        if self._is_away and self._attempt is not None:
            await asyncio.wait([self._attempt])
            if self._is_away:
                raise ConnectionError("the server is away: another caller could not connect")
        if not self._is_away:
            return await self._open()
        self._attempt = attempt = asyncio.get_running_loop().create_future()
        try:
            return await self._open()
        finally:
            self._attempt = None
            attempt.set_result(None)

    async def _open(self) -> Connection:
        try:
            connection = await self._connect()
        except Exception:
            self._is_away = True
            raise
        self._is_away = False
        return connection
