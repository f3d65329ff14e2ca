"""The official SDKs of MCP as clients that nobody registered, and as ones that register themselves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from tests.document_host import DocumentHost, serve_documents
from tests.flow.op import Op, embedded
from tests.flow.starter import free_port
from tests.flow.user_agent import UserAgent
from tests.interop.mcp_clients import CODE, SDKS, McpSdk
from tests.interop.mcp_server import READ, WRITE, McpServer, serve_mcp
from tests.interop.relying_party import node_program, program_output

LOOPBACK = "http://localhost/callback"

every_sdk = pytest.mark.parametrize("sdk", SDKS.values(), ids=SDKS)


@pytest_asyncio.fixture(scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[DocumentHost, Path]]:
    """A host of documents."""
    async with serve_documents(tmp_path_factory.mktemp("host")) as served:
        yield served


@pytest_asyncio.fixture(scope="module")
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


@pytest_asyncio.fixture(scope="module")
async def server(mcp_op: Op) -> AsyncIterator[McpServer]:
    """A server of notes."""
    async with serve_mcp(mcp_op) as served:
        yield served


@every_sdk
async def test_a_client_with_a_document_calls_a_tool(
    mcp_op: Op, host: tuple[DocumentHost, Path], server: McpServer, sdk: McpSdk
) -> None:
    """RFC 9728, RFC 8414, PKCE, `resource`: nobody has registered it, and the token is for this server."""
    document = host[0].publish(redirect_uris=[LOOPBACK])
    async with sdk(mcp_op, server, document) as client:
        assert await client.read() == "Buy milk."
        (request,) = client.authorizations
        assert request["client_id"] == [document]
        assert request["resource"] == [server.url]
        assert request["code_challenge_method"] == ["S256"]
        assert server.verifier.seen[-1]["aud"] == [server.url]
        assert server.verifier.seen[-1]["client_id"] == document


@every_sdk
async def test_a_client_registers_itself_and_refreshes(mcp_op: Op, server: McpServer, sdk: McpSdk) -> None:
    """A refresh keeps the audience and asks nobody."""
    async with sdk(mcp_op, server) as client:
        assert await client.read() == "Buy milk."
        first = client.tokens
        assert await client.read(is_expired=True) == "Buy milk."
        assert len(client.authorizations) == 1
        assert client.tokens["access_token"] != first["access_token"]
        assert client.tokens["refresh_token"] != first["refresh_token"]
        assert server.verifier.seen[-1]["aud"] == [server.url]


@every_sdk
async def test_a_client_steps_up(mcp_op: Op, server: McpServer, sdk: McpSdk) -> None:
    """More scope is asked for where the server needs it. The SDK for JavaScript would refresh instead."""
    async with sdk(mcp_op, server, grant_types=CODE) as client:
        assert await client.read() == "Buy milk."
        server.needed = WRITE
        try:
            assert await client.read() == "Buy milk."
        finally:
            server.needed = READ
        assert len(client.authorizations) == 2
        assert WRITE in client.authorizations[1]["scope"][0].split()
        assert WRITE in client.tokens["scope"].split()


@every_sdk
async def test_a_token_for_another_server_is_refused(mcp_op: Op, server: McpServer, sdk: McpSdk) -> None:
    """Two servers of one Ostiary: neither takes what was issued for the other."""
    async with sdk(mcp_op, server) as client:
        await client.read()
        headers = {"Authorization": f"Bearer {client.tokens['access_token']}"}
    async with serve_mcp(mcp_op) as other, httpx2.AsyncClient() as http:
        refused = await http.post(other.url, headers=headers, json={})
    assert refused.status_code == 401
    assert other.verifier.seen[-1] == {"active": False}


@every_sdk
async def test_a_document_that_moved_or_changed_lets_nobody_in(
    mcp_op: Op, host: tuple[DocumentHost, Path], server: McpServer, sdk: McpSdk
) -> None:
    """A redirect is no document, and a document without the client's redirect URI is no longer its own."""
    moved, changed = host[0].url(), host[0].publish(redirect_uris=[LOOPBACK])
    host[0].answer(moved, b"", 301, Location=host[0].publish())
    host[0].publish(changed, redirect_uris=["http://localhost/moved"])
    for document in (moved, changed):
        async with sdk(mcp_op, server, document) as client:
            with pytest.raises(BaseException, match=r"cannot be used|not registered|unhandled errors"):
                await client.read()
            assert not server.verifier.seen or server.verifier.seen[-1].get("client_id") != document


async def test_the_conformance_tool_finds_nothing(mcp_op: Op, server: McpServer) -> None:
    """The scenarios of `@modelcontextprotocol/conformance` for authorization servers."""
    port = free_port()
    client = await asyncio.to_thread(
        mcp_op.add_client,
        redirect_uris=[f"http://127.0.0.1:{port}/callback"],
        application_type="native",
        token_endpoint_auth_method="none",
        scope=READ,
    )
    program = node_program("mcp_conformance.mjs", "@modelcontextprotocol/conformance")
    asked = ["authorization", "--url", mcp_op.issuer, "--client-id", client["client_id"]]
    asked += ["--port", str(port), "--resource", server.url]

    def sign_in(line: str) -> None:
        if line.startswith(f"{mcp_op.issuer}/oauth2/auth"):
            httpx2.get(UserAgent(mcp_op.door).sign_in(line.strip(), mcp_op.username, mcp_op.password))

    status, output = await asyncio.to_thread(program_output, program, mcp_op.ca_file, asked, sign_in)
    assert status == 0, output
    assert "WARNING" not in output
    assert "SKIPPED" not in output
