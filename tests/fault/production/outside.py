"""Servers of relying parties: one that gets logout notices, and one that never answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import RawTestServer

from tests.deployment import unverified


@dataclass(slots=True)
class Outside:
    """*notices*: by session, the `jti` of each logout notice that was acknowledged."""

    authority: str = ""
    silent_authority: str = ""
    notices: dict[str, set[str]] = field(default_factory=dict)

    @property
    def logout_uri(self) -> str:
        """Where notices go: OpenID Connect Back-Channel Logout 1.0 §2.2."""
        return f"http://{self.authority}/logout"

    @property
    def silent_jwks_uri(self) -> str:
        return f"https://{self.silent_authority}/jwks"

    async def notified(self, request: web.BaseRequest) -> web.StreamResponse:
        """Acknowledge a notice."""
        claims = unverified(str((await request.post())["logout_token"]))
        self.notices.setdefault(claims["sid"], set()).add(claims["jti"])
        return web.Response()


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass
    writer.close()


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """Both servers, on ports of their own."""
    servers = Outside()
    silent = await asyncio.start_server(_silence, "127.0.0.1", 0)
    async with silent, RawTestServer(servers.notified, host="127.0.0.1") as receiver:
        servers.authority = f"127.0.0.1:{receiver.port}"
        servers.silent_authority = f"127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        yield servers
