"""A load balancer before two releases: each request goes to one of them at random.

A 503 is repeated, as clients repeat it, perhaps at the other release. No connection is closed under a
request: a side is taken out while nobody asks.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientResponse, web
from multidict import CIMultiDict
from yarl import URL

from tests.upgrade.sides import Side

PAUSE = 0.1  # seconds before a request is repeated
TRIES = 100
HOP_BY_HOP = {"Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Date", "Server"}


@dataclass(slots=True)
class Balancer:
    """Counts what it sends. `faults`: what no client should get."""

    random: random.Random
    sides: tuple[Side, ...] = ()
    requests: int = 0
    repeated: int = 0
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def over(self, *sides: Side) -> Iterator[None]:
        """Requests go to these."""
        self.sides = sides
        try:
            yield
        finally:
            self.sides = ()

    async def answer(self, request: web.Request) -> web.Response:
        """Forward a request."""
        body = await request.read()
        for _ in range(TRIES):
            self.requests += 1
            response = await self._forward(request, body)
            if response.status != 503:
                break
            self.repeated += 1
            await asyncio.sleep(PAUSE)
        if response.status >= 500:
            self.faults.append(f"{request.method} {request.path}: {response.status} {response.text}")
        return response

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        session = self.random.choice(self.sides).session
        assert session
        url = URL(f"http://{request.host}{request.raw_path}", encoded=True)
        try:
            async with session.request(
                request.method, url, headers=request.headers, data=body, allow_redirects=False
            ) as response:
                return web.Response(
                    status=response.status, headers=_end_to_end(response), body=await response.read()
                )
        except (ClientError, OSError, TimeoutError) as error:
            return web.Response(status=502, text=repr(error))


def _end_to_end(response: ClientResponse) -> CIMultiDict[str]:
    headers = CIMultiDict(response.headers)
    for name in HOP_BY_HOP:
        headers.popall(name, None)
    return headers


@asynccontextmanager
async def listening(balancer: Balancer, port: int) -> AsyncIterator[None]:
    """It answers on this port of the loopback interface."""
    runner = web.ServerRunner(web.Server(balancer.answer))  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()
