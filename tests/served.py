"""An application behind the server that it has in production, for aiohttp's test client."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from shared.config.settings import Settings
from shared.server.app import Handler, application
from shared.server.http.server import Runner


class Served(TestServer):
    """Listens on a free port of the loopback interface."""

    async def _make_runner(self, **_: Any) -> Runner:
        return Runner(self.app)


def handling(handler: Handler) -> web.Application:
    """An application that answers every method at `/`."""

    def mount(app: web.Application) -> None:
        app.router.add_route("*", "/", handler)

    return application(Settings(), mount)


async def raw(server: BaseTestServer, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer to a request after which the server closes the connection."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(request)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head, body
