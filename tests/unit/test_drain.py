"""A stopping process keeps serving while proxies switch to others, and resets no connection."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import ClientConnectorError, ClientSession, web

from shared.config.settings import Settings
from shared.server import serve
from shared.server.app import READINESS, application
from shared.server.http import drain
from shared.server.http.server import Runner
from shared.server.serve import Listen
from tests.planted import planted
from tests.planted.process import resets_what_waits, stops_at_once

LONG = timedelta(minutes=1)


def _mount(app: web.Application) -> None:
    async def readyz(request: web.Request) -> web.Response:
        return request.app[READINESS].answer()

    app.router.add_get("/readyz", readyz)


@asynccontextmanager
async def _serving(delay: timedelta) -> AsyncIterator[tuple[str, "asyncio.Task[None]"]]:
    """The origin of an application that serves in this process, and the task that ends with it."""
    listening = Listen("127.0.0.1:0").bind()
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app = application(Settings(), _mount)
    task = asyncio.create_task(serve.until_told_to_stop(app, listening, delay))
    async with ClientSession(origin) as http:
        while (await http.get("/readyz")).status != 200:
            await asyncio.sleep(0)
    yield origin, task
    task.cancel()
    await asyncio.wait([task])


def _tell(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@planted(stops_at_once)
async def test_a_process_is_not_ready_first_and_still_serves() -> None:
    """SIGTERM: /readyz answers 503, everything else is served, and connections close after a response."""
    async with _serving(LONG) as (origin, task), ClientSession(origin) as http:
        _tell(signal.SIGTERM)
        while (readiness := await http.get("/readyz")).status == 200:
            await asyncio.sleep(0)
        assert readiness.status == 503
        for _ in range(3):
            response = await http.get("/healthz")
            assert (response.status, response.headers["Connection"]) == (200, "close")
        assert not task.done()
        _tell(signal.SIGTERM)
        await task


async def test_the_delay_ends_by_itself() -> None:
    """After the delay, nothing listens and the process ends."""
    async with _serving(timedelta(seconds=0.1)) as (origin, task):
        _tell(signal.SIGTERM)
        await task
        async with ClientSession(origin) as http:
            with pytest.raises(ClientConnectorError):
                await http.get("/healthz")


@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM, signal.SIGINT]], ids=str)
async def test_ctrl_c_allows_no_delay(numbers: list[signal.Signals]) -> None:
    """Ctrl-C ends the process without the delay."""
    async with _serving(LONG) as (_, task):
        for number in numbers:
            _tell(number)
        await task


@planted(resets_what_waits)
async def test_no_connection_of_the_kernels_queue_is_reset() -> None:
    """Connections that the kernel has queued are accepted and served."""
    loop = asyncio.get_running_loop()
    listening = Listen("127.0.0.1:0").bind()
    runner = Runner(application(Settings()))
    await runner.setup()
    site = web.SockSite(runner, listening)
    await site.start()
    with ExitStack() as clients:
        connections = [
            clients.enter_context(socket.create_connection(listening.getsockname())) for _ in range(5)
        ]
        await drain.close(runner, site, listening)
        for connection in connections:
            connection.setblocking(False)
            await loop.sock_sendall(connection, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await loop.sock_recv(connection, 12)) == b"HTTP/1.1 200"
    await runner.cleanup()
