"""A web application of a test on loopback."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def listening(app: web.Application, ports: Iterable[int] = (0,)) -> AsyncIterator[int]:
    """Serve *app* on the first free one of *ports* (0: any). Yields the port."""
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
