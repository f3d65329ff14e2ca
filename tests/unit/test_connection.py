"""Connections: requests, the order of their responses, and the end of a connection."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer

from shared.server.http import connection
from shared.web import form
from shared.web.answers import Head, PreparedResponse
from shared.web.form import body
from shared.web.request import MAX_BODY
from tests.planted import http, planted
from tests.served import Served, handling, raw

TEXT = Head({"Content-Type": "text/plain"})
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HANG_GUARD = 30.0  # seconds; nothing is timed


async def _echo(request: web.Request) -> web.Response:
    """Echoes the body, or the query."""
    return PreparedResponse(await body(request) or request.query_string.encode(), TEXT)


async def _idle(_: web.Request) -> web.Response:
    """Reads no body."""
    return PreparedResponse(b"unread", TEXT)


class _Gate:
    """A handler that answers when a test opens it."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()

    async def answer(self, _: web.Request) -> web.Response:
        self.entered.set()
        await self.opened.wait()
        return PreparedResponse(b"at last", TEXT)


@asynccontextmanager
async def _connected(
    server: BaseTestServer,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    async with asyncio.timeout(HANG_GUARD):
        try:
            yield reader, writer
        finally:
            writer.close()


def _get(query: str = "", *lines: str) -> bytes:
    return "\r\n".join((f"GET /?{query} HTTP/1.1", "Host: localhost", *lines, "", "")).encode()


def _post(*lines: str) -> bytes:
    return "\r\n".join(("POST / HTTP/1.1", "Host: localhost", *lines, "", "")).encode()


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and body of the next response."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    """Any number of pipelined requests is answered in order (RFC 9112 §9.3.2)."""
    count = 160
    async with Served(handling(_echo)) as server, _connected(server) as (reader, writer):
        writer.write(b"".join(_get(str(number)) for number in range(count)))
        answers = [await _read(reader) for _ in range(count)]
        assert answers == [(200, str(number).encode()) for number in range(count)]


async def test_a_request_may_come_byte_by_byte() -> None:
    """Head and body may arrive byte by byte, and the next request together with the last byte."""
    request = _post("Content-Length: 4") + b"body" + _get("next")
    async with Served(handling(_echo)) as server, _connected(server) as (reader, writer):
        for byte in request:
            writer.write(bytes([byte]))
            await writer.drain()
        assert [await _read(reader), await _read(reader)] == [(200, b"body"), (200, b"next")]


async def test_a_chunked_body_is_one_body() -> None:
    """RFC 9112 §7.1."""
    async with Served(handling(_echo)) as server, _connected(server) as (reader, writer):
        writer.write(_post("Transfer-Encoding: chunked") + b"2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n")
        assert await _read(reader) == (200, b"body")


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_who_waits_to_be_told_so_is_told_to_go_on(version: str) -> None:
    """RFC 9110 §10.1.1; HTTP/1.0 has no 100-continue."""
    head = _post("Content-Length: 4", "Expect: 100-continue").replace(b"HTTP/1.1", f"HTTP/{version}".encode())
    async with Served(handling(_echo)) as server, _connected(server) as (reader, writer):
        writer.write(head)
        if version == "1.1":
            assert await reader.readuntil(b"\r\n\r\n") == CONTINUE
        writer.write(b"body")
        assert await _read(reader) == (200, b"body")


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "TLS/1.2"])
async def test_no_other_protocol_is_spoken(protocol: str) -> None:
    """An Upgrade request gets an ordinary response (RFC 9110 §7.8)."""
    request = _get("a", "Connection: Upgrade", f"Upgrade: {protocol}") + _get("b")
    async with Served(handling(_echo)) as server:
        head, answered = await raw(server, request)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in head
    assert answered == b"a"


MALFORMED = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a head that does not end": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000,
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two lengths": _post("Content-Length: 4", "Content-Length: 5") + b"body",
    "a length beside chunks": _post("Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "a folded field": _get("", "X: a", " b"),
    "a space before the colon": _get("", "X : a"),
    "a host that is none": b"GET http://xn--/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_no_http_ends_the_connection(name: str) -> None:
    """The response to malformed HTTP must not be cached."""
    async with Served(handling(_echo)) as server, _connected(server) as (reader, writer):
        writer.write(_get("before"))
        assert await _read(reader) == (200, b"before")
        writer.write(MALFORMED[name])
        head = await reader.readuntil(b"\r\n\r\n")
        status = 431 if name == "a head that does not end" else 400
        assert head.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"Cache-Control: no-store" in head
        assert b"Connection: close" in head
        assert b'"invalid_request"' in await reader.read()


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LATER_FAULT = b"3\r\nabc\r\nno size\r\n"


@planted(http.waits_for_malformed_bodies)
async def test_a_body_that_turns_out_malformed_is_refused(
    monkeypatch: pytest.MonkeyPatch, guard: float
) -> None:
    """The rest of a malformed body is neither awaited nor parsed as a request."""
    monkeypatch.setattr(form, "CHUNK_TIMEOUT", 0.05)
    async with Served(handling(_echo)) as server, _connected(server) as (reader, writer):
        writer.write(_post("Transfer-Encoding: chunked", "Expect: 100-continue"))
        assert await reader.readuntil(b"\r\n\r\n") == CONTINUE
        writer.write(LATER_FAULT)
        async with asyncio.timeout(guard):  # less than a body may take
            assert (await _read(reader))[0] == 400
            assert await reader.read() == b""


@planted(http.waits_for_malformed_bodies)
async def test_a_body_that_turned_out_malformed_while_it_waited_is_refused(
    monkeypatch: pytest.MonkeyPatch, guard: float
) -> None:
    """The same for a request that waits behind another one."""
    monkeypatch.setattr(form, "CHUNK_TIMEOUT", 0.05)
    gate = _Gate()

    async def answer(request: web.Request) -> web.Response:
        return await gate.answer(request) if request.method == "GET" else await _echo(request)

    async with Served(handling(answer)) as server, _connected(server) as (reader, writer):
        writer.write(_get() + _post("Transfer-Encoding: chunked") + b"3\r\nabc\r\n")
        await gate.entered.wait()
        writer.write(b"no size\r\n")
        await writer.drain()
        gate.opened.set()
        async with asyncio.timeout(guard):  # less than a body may take
            assert await _read(reader) == (200, b"at last")
            assert (await _read(reader))[0] == 400
            assert await reader.read() == b""


async def test_the_next_body_may_begin_while_a_request_is_answered() -> None:
    """The next body may arrive during a request, and end after it."""
    gate = _Gate()

    async def answer(request: web.Request) -> web.Response:
        return await gate.answer(request) if request.method == "GET" else await _echo(request)

    async with Served(handling(answer)) as server, _connected(server) as (reader, writer):
        writer.write(_get())
        await gate.entered.wait()
        writer.write(_post("Content-Length: 4") + b"bo")
        await writer.drain()
        gate.opened.set()
        assert await _read(reader) == (200, b"at last")
        writer.write(b"dy")
        assert await _read(reader) == (200, b"body")


async def test_a_body_that_nobody_reads_may_arrive_later() -> None:
    """A body that no handler reads may arrive later, and the connection stays usable."""
    async with Served(handling(_idle)) as server, _connected(server) as (reader, writer):
        writer.write(_post(f"Content-Length: {MAX_BODY}"))
        assert await _read(reader) == (200, b"unread")
        writer.write(bytes(MAX_BODY) + _get())
        assert await _read(reader) == (200, b"unread")


async def test_a_body_that_nobody_reads_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a short wait for an unread body, the connection is closed."""
    monkeypatch.setattr(connection, "LINGER_TIMEOUT", 0.01)
    async with Served(handling(_idle)) as server, _connected(server) as (reader, writer):
        writer.write(_post("Content-Length: 4"))
        assert await _read(reader) == (200, b"unread")
        assert await reader.read() == b""


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: loc"])
async def test_a_connection_over_which_nothing_is_asked_ends(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """A connection without a complete request is closed."""
    monkeypatch.setattr(connection, "QUIET_TIMEOUT", 0.05)
    async with Served(handling(_echo)) as server, _connected(server) as (reader, writer):
        writer.write(sent)
        assert await reader.read() == b""


async def test_a_connection_over_which_nothing_more_is_asked_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle connection is closed. On a busy machine that may precede the first request: try another one."""
    monkeypatch.setattr(connection, "QUIET_TIMEOUT", 0.05)
    received = b""
    async with Served(handling(_echo)) as server:
        while not received:
            async with _connected(server) as (reader, writer):
                writer.write(_get("a"))
                with suppress(ConnectionError):
                    received = await reader.read()
    assert received.startswith(b"HTTP/1.1 200 ")


async def test_who_does_not_read_the_answers_gets_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a client does not read responses, its requests are not read, and the connection is closed."""
    monkeypatch.setattr(connection, "QUIET_TIMEOUT", 0.5)
    monkeypatch.setattr(connection, "LINGER_TIMEOUT", 0.05)
    answered = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal answered
        answered += 1
        return PreparedResponse(bytes(100_000), TEXT)

    def flood(host: str, port: int) -> None:
        with socket.create_connection((host, port), HANG_GUARD) as asking:
            while True:
                asking.sendall(_get())

    async with Served(handling(answer)) as server:
        assert server.port is not None
        with pytest.raises(ConnectionError):
            await asyncio.to_thread(flood, server.host, server.port)
    assert answered < 1000


async def test_a_request_in_flight_is_finished_before_the_end() -> None:
    """Idle connections are closed at once."""
    gate = _Gate()
    server = Served(handling(gate.answer))
    await server.start_server()
    async with _connected(server) as (reader, writer), _connected(server) as (quiet, _):
        writer.write(_get())
        await gate.entered.wait()
        closing = asyncio.create_task(server.close())
        assert await quiet.read() == b""
        gate.opened.set()
        head, _, answered = (await reader.read()).partition(b"\r\n\r\n")
        assert b"Connection: close" in head
        assert answered == b"at last"
        await closing


async def test_a_client_that_goes_away_is_not_waited_for() -> None:
    """Work for a client that has gone is finished, and its response dropped."""
    gate = _Gate()
    async with Served(handling(gate.answer)) as server:
        async with _connected(server) as (_, writer):
            writer.write(_get())
            await gate.entered.wait()
        gate.opened.set()
        assert (await raw(server, _get("", "Connection: close")))[1] == b"at last"


async def test_a_body_ends_with_its_client() -> None:
    """A handler that reads the body gets an exception."""
    faults: asyncio.Queue[Exception] = asyncio.Queue()

    async def answer(request: web.Request) -> web.Response:
        try:
            return PreparedResponse(await body(request), TEXT)
        except Exception as fault:
            await faults.put(fault)
            raise

    async with Served(handling(answer)) as server:
        async with _connected(server) as (_, writer):
            writer.write(_post("Content-Length: 4") + b"bo")
            await writer.drain()
        async with asyncio.timeout(HANG_GUARD):
            assert "cut short" in str(await faults.get())
