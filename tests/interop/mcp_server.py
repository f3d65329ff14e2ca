"""A small MCP server made with the official SDK, whose authorization server is Ostiary."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvicorn
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from pydantic import AnyHttpUrl

from tests.deployment import basic
from tests.flow.op import Op

READ, WRITE = "notes:read", "notes:write"


@dataclass(slots=True)
class Introspection(TokenVerifier):
    """Asks Ostiary about each token, as a client that introspects for this resource."""

    op: Op
    resource: str
    client: dict[str, Any]
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def verify_token(self, token: str) -> AccessToken | None:
        context = ssl.create_default_context(cafile=str(self.op.ca_file))
        headers = basic(self.client["client_id"], self.client["client_secret"])
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{self.op.issuer}/oauth2/introspect", data={"token": token}, ssl=context) as response,
        ):
            described = await response.json()
        self.seen.append(described)
        if not described["active"] or self.resource not in described["aud"]:
            return None
        return AccessToken(
            token=token,
            client_id=described["client_id"],
            scopes=described["scope"].split(),
            resource=self.resource,
            subject=described["sub"],
        )


@dataclass(slots=True)
class McpServer:
    """A running server. `needed`: the scope that its tools need at the moment."""

    url: str
    verifier: Introspection
    needed: str = READ

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Challenge a token that lacks the scope: MCP 2026-07-28, RFC 6750 §3.1."""
        headers = dict(scope.get("headers", ()))
        token = headers.get(b"authorization", b"").decode().partition(" ")[2]
        if scope["type"] == "http" and token and self.needed != READ:
            described = await self.verifier.verify_token(token)
            if described and self.needed not in described.scopes:
                metadata = self.url.removesuffix("/mcp") + "/.well-known/oauth-protected-resource/mcp"
                challenge = (
                    f'Bearer error="insufficient_scope", scope="{READ} {self.needed}", '
                    f'resource_metadata="{metadata}"'
                )
                start = {"type": "http.response.start", "status": 403}
                await send({**start, "headers": [(b"www-authenticate", challenge.encode())]})
                await send({"type": "http.response.body", "body": b""})
                return
        await self.app(scope, receive, send)

    app: Any = None


@asynccontextmanager
async def serve_mcp(op: Op) -> AsyncIterator[McpServer]:
    """A server of notes on a free port, registered with Ostiary as a resource."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        origin = f"http://localhost:{listening.getsockname()[1]}"
        url = f"{origin}/mcp"
        client = await asyncio.to_thread(
            op.add_client, client_name="Notes", grant_types=["client_credentials"], scope=READ
        )
        await asyncio.to_thread(_add_resource, op, url, client["client_id"])
        verifier = Introspection(op, url, client)
        auth = AuthSettings(
            issuer_url=AnyHttpUrl(op.issuer),
            resource_server_url=AnyHttpUrl(url),
            required_scopes=[READ],
            validate_token_resource=True,
        )
        notes = MCPServer("Notes", token_verifier=verifier, auth=auth, log_level="ERROR")

        @notes.tool()
        def read_note() -> str:
            """The note."""
            return "Buy milk."

        served = McpServer(url, verifier, app=notes.streamable_http_app(host="localhost"))
        server = uvicorn.Server(uvicorn.Config(served, log_level="error", lifespan="on"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield served
        finally:
            server.should_exit = True
            await running


def _add_resource(op: Op, url: str, client_id: str) -> None:
    described = (
        f'{{"resource": "{url}", "name": "Notes {url}", "introspection_clients": ["{client_id}"],'
        f' "scopes": {{"{READ}": {{"en": "Read your notes"}}, "{WRITE}": {{"en": "Write notes"}}}}}}'
    )
    op.ostiary("resource", "add", "-", given=described)
