"""A web application of the test's own on loopback."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def listening(app: web.Application, ports: Iterable[int] = (0,)) -> AsyncIterator[int]:
    """Serves *app* on the first of *ports* that is free (0: any); gives that port."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        for port in ports:
            try:
                await web.TCPSite(runner, "127.0.0.1", port).start()
            except OSError:
                continue
            yield runner.addresses[0][1]
            return
        raise AssertionError("every port is taken")
    finally:
        await runner.cleanup()
