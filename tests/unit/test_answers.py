"""Responses as they are written: in one write, and as complete as aiohttp's own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from shared.web.answers import Head, PreparedResponse
from tests.served import Served, handling, raw

HEAD = Head({"Content-Type": "text/plain", "X-Kind": "test"})


async def _answer(request: web.Request) -> web.Response:
    status = int(request.query.get("status", "200"))
    answer = PreparedResponse(b"body", HEAD, status=status, headers={"X-Own": "ümlaut"})
    if "cookie" in request.query:
        answer.set_cookie("name", request.query["cookie"], httponly=True)
    return answer


@asynccontextmanager
async def _served() -> AsyncIterator[TestClient[web.Request, web.Application]]:
    async with TestClient(Served(handling(_answer))) as client:
        yield client


async def test_an_answer_has_its_own_fields_and_those_of_its_head() -> None:
    """Every response has a length and a date, too (RFC 9110 §6.6.1, §8.6)."""
    async with _served() as client, client.get("/") as response:
        assert response.status == 200
        assert await response.read() == b"body"
        shown = {name: response.headers[name] for name in ("X-Kind", "X-Own", "Content-Length")}
        assert shown == {"X-Kind": "test", "X-Own": "ümlaut", "Content-Length": "4"}
        assert response.headers["Date"].endswith(" GMT")


async def test_one_connection_carries_answer_after_answer() -> None:
    """Responses on one connection do not mix."""
    async with _served() as client:
        for path in ("/", "/?status=304", "/", "/?status=404", "/?cookie=a", "/"):
            async with client.get(path) as response:
                expected = b"" if response.status == 304 else b"body"
                assert await response.read() == expected
        assert client.session.connector is not None
        assert sum(map(len, client.session.connector._conns.values())) == 1


async def test_what_has_no_body_has_no_length() -> None:
    """304 and 204: RFC 9110 §6.4.1."""
    async with _served() as client:
        for status in (204, 304):
            async with client.get("/", params={"status": status}) as response:
                assert response.status == status
                assert "Content-Length" not in response.headers


async def test_the_answer_to_head_is_that_to_get_without_the_body() -> None:
    """RFC 9110 §9.3.2."""
    async with _served() as client:
        request = b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        head, body = await raw(client.server, request)
    assert (b"Content-Length: 4" in head, body) == (True, b"")


@pytest.mark.parametrize(
    ("version", "asked", "told"),
    [("1.1", "close", b"close"), ("1.0", "", b"close"), ("1.0", "keep-alive", b"keep-alive")],
)
async def test_a_connection_ends_when_the_client_wants_it(version: str, asked: str, told: bytes) -> None:
    """The response announces the end of the connection (RFC 9112 §9.3)."""
    line = f"Connection: {asked}\r\n" if asked else ""
    request = f"GET / HTTP/{version}\r\nHost: localhost\r\n{line}\r\n".encode()
    async with _served() as client:
        reader, writer = await asyncio.open_connection(client.server.host, client.server.port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(4) == b"body"
        assert b"Connection: " + told in head
        if told == b"close":
            assert await reader.read() == b""
        writer.close()


async def test_an_answer_sets_cookies() -> None:
    """Each cookie has a field of its own, with its attributes."""
    async with _served() as client, client.get("/", params={"cookie": "value"}) as response:
        assert response.headers.getall("Set-Cookie") == ["name=value; HttpOnly; Path=/"]


@pytest.mark.parametrize("fields", [{"X": "a\r\nY: b"}, {"X": "a\nb"}, {"X\r\nY": "a"}, {"X": "\r"}])
async def test_a_line_break_makes_no_field(fields: Mapping[str, str]) -> None:
    """An untrusted value cannot add a header field or a body."""
    with pytest.raises(ValueError, match="line break"):
        Head(fields)

    async def answer(_: web.Request) -> web.Response:
        return PreparedResponse(b"", HEAD, headers=fields)

    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with Served(handling(answer)) as server:
        head, body = await raw(server, request)
    assert b"Y: b" not in head + body
