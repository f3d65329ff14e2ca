"""The official Python SDK of MCP as a client that nobody registered, and as one that registers itself."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio
from mcp import ClientSession
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from tests.document_host import DocumentHost, serve_documents
from tests.flow.op import Op, embedded
from tests.interop.mcp_server import READ, WRITE, McpServer, serve_mcp

pytestmark = pytest.mark.asyncio(loop_scope="module")

REDIRECT_URI = "http://localhost:33418/callback"
METADATA = OAuthClientMetadata(
    client_name="Notes of Ada",
    redirect_uris=[AnyUrl(REDIRECT_URI)],
    grant_types=["authorization_code", "refresh_token"],
    response_types=["code"],
    token_endpoint_auth_method="none",
)


@dataclass(slots=True)
class Memory(TokenStorage):
    """What the SDK keeps."""

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
class McpClient:
    """One user's client, which signs in with a browser of its own when it must."""

    op: Op
    server: McpServer
    document: str | None = None
    memory: Memory = field(default_factory=Memory)
    authorizations: list[dict[str, list[str]]] = field(default_factory=list)
    answered: str = ""

    async def _redirect(self, url: str) -> None:
        self.authorizations.append(parse_qs(urlsplit(url).query))
        self.answered = await asyncio.to_thread(self.op.sign_in, url)

    async def _callback(self) -> AuthorizationCodeResult:
        answer = parse_qs(urlsplit(self.answered).query)
        return AuthorizationCodeResult(code=answer["code"][0], state=answer["state"][0], iss=answer["iss"][0])

    async def read(self) -> str:
        """What the tool says."""
        provider = OAuthClientProvider(
            self.server.url,
            METADATA.model_copy(),
            self.memory,
            self._redirect,
            self._callback,
            client_metadata_url=self.document,
        )
        trusted = ssl.create_default_context(cafile=str(self.op.ca_file))
        async with (
            httpx2.AsyncClient(auth=provider, verify=trusted, timeout=30) as http,
            streamable_http_client(self.server.url, http_client=http) as streams,
            ClientSession(*streams[:2]) as session,
        ):
            await session.initialize()
            result = await session.call_tool("read_note", {})
        return str(result.content[0].text)  # type: ignore[union-attr]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[DocumentHost, Path]]:
    """A host of documents."""
    async with serve_documents(tmp_path_factory.mktemp("host")) as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mcp_op(
    host: tuple[DocumentHost, Path], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Op]:
    """An Ostiary for clients of MCP."""
    documents, ca_file = host
    opening = embedded(
        tmp_path_factory.mktemp("mcp"),
        OSTIARY_CLIENT_ID_METADATA="open",
        OSTIARY_REGISTRATION="open",
        OSTIARY_FETCH_ALLOW=documents.authority,
        OSTIARY_FETCH_CA_FILE=str(ca_file),
    )
    op = await asyncio.to_thread(opening.__enter__)
    yield op
    await asyncio.to_thread(opening.__exit__, None, None, None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(mcp_op: Op) -> AsyncIterator[McpServer]:
    """A server of notes."""
    async with serve_mcp(mcp_op) as served:
        yield served


async def test_a_client_with_a_document_calls_a_tool(
    mcp_op: Op, host: tuple[DocumentHost, Path], server: McpServer
) -> None:
    """RFC 9728, RFC 8414, PKCE, `resource`: nobody has registered it, and the token is for this server."""
    document = host[0].publish(redirect_uris=["http://localhost/callback"])
    client = McpClient(mcp_op, server, document)
    assert await client.read() == "Buy milk."
    (request,) = client.authorizations
    assert request["client_id"] == [document]
    assert request["resource"] == [server.url]
    assert server.verifier.seen[-1]["aud"] == [server.url]
    assert server.verifier.seen[-1]["client_id"] == document


async def test_a_client_registers_itself_and_steps_up(mcp_op: Op, server: McpServer) -> None:
    """Registration, and more scope where the server asks for it."""
    client = McpClient(mcp_op, server)
    assert await client.read() == "Buy milk."
    server.needed = WRITE
    try:
        assert await client.read() == "Buy milk."
    finally:
        server.needed = READ
    assert len(client.authorizations) == 2
    assert WRITE in client.authorizations[1]["scope"][0].split()
    assert client.memory.tokens is not None
    assert WRITE in (client.memory.tokens.scope or "").split()


async def test_a_token_for_another_server_is_refused(mcp_op: Op, server: McpServer) -> None:
    """Two servers of one Ostiary: neither takes what was issued for the other."""
    client = McpClient(mcp_op, server)
    await client.read()
    assert client.memory.tokens is not None
    async with serve_mcp(mcp_op) as other, httpx2.AsyncClient() as http:
        headers = {"Authorization": f"Bearer {client.memory.tokens.access_token}"}
        refused = await http.post(other.url, headers=headers, json={})
    assert refused.status_code == 401
    assert other.verifier.seen[-1] == {"active": False}


async def test_a_document_that_moved_lets_nobody_in(
    mcp_op: Op, host: tuple[DocumentHost, Path], server: McpServer
) -> None:
    """A redirect is no document."""
    document = host[0].url()
    host[0].answer(document, b"", 301, Location=host[0].publish())
    with pytest.raises(BaseException, match=r"cannot be used|unhandled errors"):
        await McpClient(mcp_op, server, document).read()
