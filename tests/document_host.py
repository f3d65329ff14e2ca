"""A web server over TLS that publishes client ID metadata documents."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from tests.certificates import a_certificate

REDIRECT_URI = "https://app.example.org/callback"


@dataclass(slots=True)
class DocumentHost:
    """Serves what a test publishes, and remembers what was asked for."""

    origin: str = ""
    answers: dict[str, tuple[bytes, int, dict[str, str]]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    @property
    def authority(self) -> str:
        return self.origin.removeprefix("https://")

    def publish(self, client_id: str | None = None, **members: Any) -> str:
        """Publish a document, a new one or another version; its URL. A member that is None is left out."""
        client_id = client_id or self.url()
        defaults = {
            "client_id": client_id,
            "client_name": "Notes",
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
        document = {name: value for name, value in {**defaults, **members}.items() if value is not None}
        self.answer(client_id, orjson.dumps(document))
        return client_id

    def url(self) -> str:
        """A URL that nothing is published at yet."""
        return f"{self.origin}/{uuid4().hex}/client.json"

    def answer(self, client_id: str, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer with that, as JSON unless the headers say otherwise."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[client_id.removeprefix(self.origin)] = (
            body,
            status,
            {"Content-Type": "application/json", **named},
        )

    def fetches(self, client_id: str) -> int:
        """How often it was fetched."""
        return self.seen.count(client_id.removeprefix(self.origin))

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request.path)
        body, status, headers = self.answers.get(request.path, (b"{}", 404, {}))
        return web.Response(body=body, status=status, headers=headers)


@asynccontextmanager
async def serve_documents(folder: Path) -> AsyncIterator[tuple[DocumentHost, Path]]:
    """The host, and the file of the authority that its certificate is by."""
    files = a_certificate("localhost", folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.chain_file, files.key_file)
    host = DocumentHost()
    server = RawTestServer(host)
    await server.start_server(ssl=context)
    host.origin = f"https://localhost:{server.port}"
    try:
        yield host, files.ca_file
    finally:
        await server.close()
