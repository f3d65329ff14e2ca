"""The official SDKs of MCP as clients of one user, who signs in with a browser whenever they must."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import ClientSession
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.flow.op import Op
from tests.interop.mcp_server import McpServer
from tests.interop.relying_party import Conversation, conversation, node_program

REDIRECT_URI = "http://localhost:33418/callback"
CODE, BOTH = ("authorization_code",), ("authorization_code", "refresh_token")
METADATA = {
    "client_name": "Notes of Ada",
    "redirect_uris": [REDIRECT_URI],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
LONG_AGO = 1.0  # seconds since 1970


class McpClient(Protocol):
    """A client. `authorizations`: the parameters of its authorization requests."""

    authorizations: list[dict[str, list[str]]]

    async def read(self, *, is_expired: bool = False) -> str:
        """What the tool says. *is_expired*: the client has no valid access token any more."""

    @property
    def tokens(self) -> dict[str, Any]:
        """The last answer of the token endpoint."""


class McpSdk(Protocol):
    """Opens a client of a server. *document*: its URL; None: the client registers itself."""

    def __call__(
        self, op: Op, server: McpServer, document: str | None = None, *, grant_types: Sequence[str] = BOTH
    ) -> AbstractAsyncContextManager[McpClient]: ...


@dataclass(slots=True)
class _Memory(TokenStorage):
    """What the SDK for Python keeps."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass(slots=True)
class _PythonClient:
    op: Op
    server: McpServer
    document: str | None
    grant_types: Sequence[str]
    memory: _Memory = field(default_factory=_Memory)
    authorizations: list[dict[str, list[str]]] = field(default_factory=list)
    answered: str = ""

    def __post_init__(self) -> None:
        self.provider = OAuthClientProvider(
            self.server.url,
            OAuthClientMetadata.model_validate({**METADATA, "grant_types": list(self.grant_types)}),
            self.memory,
            self._redirect,
            self._callback,
            client_metadata_url=self.document,
        )

    provider: OAuthClientProvider = field(init=False)

    async def _redirect(self, url: str) -> None:
        self.authorizations.append(parse_qs(urlsplit(url).query))
        self.answered = await asyncio.to_thread(self.op.sign_in, url)

    async def _callback(self) -> AuthorizationCodeResult:
        answer = parse_qs(urlsplit(self.answered).query)
        return AuthorizationCodeResult(code=answer["code"][0], state=answer["state"][0], iss=answer["iss"][0])

    async def read(self, *, is_expired: bool = False) -> str:
        if is_expired:
            self.provider.context.token_expiry_time = LONG_AGO
        trusted = ssl.create_default_context(cafile=str(self.op.ca_file))
        async with (
            httpx2.AsyncClient(auth=self.provider, verify=trusted, timeout=30) as http,
            streamable_http_client(self.server.url, http_client=http) as streams,
            ClientSession(*streams[:2]) as session,
        ):
            await session.initialize()
            result = await session.call_tool("read_note", {})
        return str(result.content[0].text)  # type: ignore[union-attr]

    @property
    def tokens(self) -> dict[str, Any]:
        assert self.memory.tokens
        return self.memory.tokens.model_dump(exclude_none=True)


@asynccontextmanager
async def python_sdk(
    op: Op, server: McpServer, document: str | None = None, *, grant_types: Sequence[str] = BOTH
) -> AsyncIterator[McpClient]:
    """A client of `mcp`."""
    yield _PythonClient(op, server, document, grant_types)


@dataclass(slots=True)
class _JavaScriptClient:
    op: Op
    talk: Conversation
    authorizations: list[dict[str, list[str]]] = field(default_factory=list)
    tokens: dict[str, Any] = field(default_factory=dict)

    async def read(self, *, is_expired: bool = False) -> str:
        return await asyncio.to_thread(self._read, "expire" if is_expired else "read")

    def _read(self, told: str) -> str:
        self.talk.say(told)
        while "authorization_url" in (said := self.talk.hear()):
            url = said["authorization_url"]
            self.authorizations.append(parse_qs(urlsplit(url).query))
            self.talk.say(self.op.sign_in(url))
        if "error" in said:
            raise RuntimeError(said["error"])
        self.tokens = said["tokens"]
        return str(said["text"])


@asynccontextmanager
async def javascript_sdk(
    op: Op, server: McpServer, document: str | None = None, *, grant_types: Sequence[str] = BOTH
) -> AsyncIterator[McpClient]:
    """A client of `@modelcontextprotocol/sdk`."""
    program = node_program("mcp_client.mjs", "@modelcontextprotocol/sdk")
    configuration = {
        "server": server.url,
        "metadata": {**METADATA, "grant_types": grant_types},
        "document": document,
    }
    with conversation(program, op.ca_file, configuration) as talk:
        await asyncio.to_thread(talk.hear)
        yield _JavaScriptClient(op, talk)


SDKS: dict[str, McpSdk] = {"Python": python_sdk, "JavaScript": javascript_sdk}
