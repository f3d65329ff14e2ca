"""Requests to the public URL, as a client sends them."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import Morsel

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=10)
MAX_BODY = 256 * 1024


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request: GET, or POST if it has a form."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The response of a URL."""

    url: str
    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[Morsel[str], ...] = ()


@dataclass(frozen=True, slots=True)
class HttpClient:
    """Sends requests over TLS that *trust* verifies, and follows no redirect."""

    trust: ssl.SSLContext

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Raises ClientError, OSError, TimeoutError."""
        method = "GET" if request.form is None else "POST"
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(
                method,
                request.url,
                headers=request.headers,
                data=request.form,
                ssl=self.trust,
                allow_redirects=False,
            ) as response,
        ):
            body = await _whole(response.content)
            return HttpResponse(
                request.url,
                response.status,
                response.content_type,
                body,
                response.headers,
                tuple(response.cookies.values()),
            )


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """The body, which may arrive in pieces, up to the maximum length."""
    body = b""
    while len(body) < MAX_BODY and (piece := await content.read(MAX_BODY)):
        body += piece
    return body
