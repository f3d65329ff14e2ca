"""All connections of a process, and the application that answers them."""

import asyncio
from typing import cast

from aiohttp import web

from shared.web.connection import Connection
from shared.web.front import Front, refuse_malformed


class Server:
    """Makes the connections, and ends them; what aiohttp's runners and sites ask of its own server."""

    def __init__(self, app: web.Application) -> None:
        self._front = Front(app)
        self._open_ones: set[Connection] = set()
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> Connection:
        return Connection(self._front.answer, refuse_malformed, self._open_ones, self._loop)

    def pre_shutdown(self) -> None:
        """Close what is quiet, and the others as soon as they are."""
        for connection in tuple(self._open_ones):
            connection.close()

    async def shutdown(self, seconds: float) -> None:
        """Wait so many seconds for requests in flight, then break them off."""
        finishing = [asyncio.create_task(each.finished()) for each in self._open_ones]
        if finishing:
            await asyncio.wait(finishing, timeout=seconds)
        for connection in tuple(self._open_ones):
            connection.abort()


class Runner(web.AppRunner):
    """Starts an application, and has our server answer for it."""

    async def _make_server(self) -> web.Server:
        await super()._make_server()
        assert self._app is not None
        return cast(web.Server, Server(self._app))
