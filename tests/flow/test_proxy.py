"""The reverse proxy, between a client and misbehaving upstreams."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from deploy.local.caddy import Caddy, find_binary, site_of
from deploy.local.caddyfile import caddyfile
from deploy.local.child import Child
from deploy.local.folders import run_folder
from shared.live import clock
from shared.paths import OPENID_CONFIGURATION, PATHS, TOKEN, Service
from shared.web.request_age import parse_stamp
from tests.flow.starter import free_port
from tests.planted import planted
from tests.planted.process import calls_a_malformed_body_an_outage, names_the_proxy

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]
BODY = b"a=b"
SPOOFED = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "1"} | {
    "Forwarded": "for=192.0.2.1",
    "X-Real-IP": "192.0.2.1",
    "X-Request-Id": "chosen-by-a-stranger",
    "X-Request-Start": "t=4102444800.000",
}


@asynccontextmanager
async def _proxy(folder: Path) -> AsyncIterator[tuple[int, Path]]:
    """The proxy in front of services that are down: its port, and their sockets."""
    port = free_port()
    with run_folder() as sockets:
        upstreams = {service: f"unix/{sockets}/{service}.sock" for service in Service}
        caddy = Caddy(find_binary(), site_of(f"http://localhost:{port}"), folder, sockets, folder / "log")
        caddy.prepare(caddyfile(PATHS, caddy.site, upstreams))
        child = Child(caddy.command())
        await child.start()
        try:
            yield port, sockets
        finally:
            await child.stop()


def _closing(serve: Serve, serving: list[asyncio.Task[None]]) -> Callable[..., None]:
    """*serve*, whose connections are closed when its task in *serving* is done."""

    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.create_task(whole(reader, writer)))

    return begin


@asynccontextmanager
async def _proxied(folder: Path, serve: Serve) -> AsyncIterator[int]:
    """The proxy's port; the token service is *serve*."""
    serving: list[asyncio.Task[None]] = []
    async with AsyncExitStack() as after_the_proxy, _proxy(folder) as (port, sockets):
        path = sockets / f"{Service.TOKEN}.sock"
        server = await asyncio.start_unix_server(_closing(serve, serving), path)
        after_the_proxy.callback(server.close)  # asyncio leaks what it accepts while it closes
        yield port
    await asyncio.gather(*serving, return_exceptions=True)  # a proxy may end a connection in its middle


async def _ask(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], str]:
    def ask() -> tuple[int, dict[str, str], str]:
        connection = HTTPConnection("localhost", port, timeout=50)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read().decode()
        finally:
            connection.close()

    return await asyncio.to_thread(ask)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(len(BODY))  # a connection closed over what nobody read is reset
    answer = b"HTTP/1.1 200 OK\r\nServer: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
    writer.write(answer % (len(head), head))
    writer.close()


async def test_what_a_client_claims_of_itself_is_dropped(tmp_path: Path) -> None:
    """A service sees the proxy's forwarding headers and request id."""
    async with _proxied(tmp_path, _echo) as port:
        status, headers, seen = await _ask(port, "POST", TOKEN.path, BODY, SPOOFED)
    assert status == 200
    lines = dict(line.lower().split(": ", 1) for line in seen.strip().split("\r\n")[1:])
    assert (lines["x-forwarded-for"], lines["x-forwarded-proto"]) in (("127.0.0.1", "http"), ("::1", "http"))
    assert lines["x-request-id"] != SPOOFED["X-Request-Id"]
    stamp = parse_stamp(lines["x-request-start"])
    assert stamp
    assert abs(stamp - clock.now()) < timedelta(minutes=5)
    assert not {"x-forwarded-port", "forwarded", "x-real-ip"} & set(lines)
    assert "Server" not in headers


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"x" * (64 * 1024 + 1), {}, 413),
        (b"", {"X-Long": "x" * 40_000}, 431),
        (b"", {"Host": "evil.example"}, 421),
    ],
)
async def test_what_is_too_much_never_arrives(
    tmp_path: Path, body: bytes, headers: dict[str, str], expected: int
) -> None:
    """The proxy refuses large bodies, large headers and other hosts."""

    async def read_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with _proxied(tmp_path, read_all) as port:
        status, _, _ = await _ask(port, "POST", TOKEN.path, body, headers)
    assert status == expected


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "1"}])
async def test_a_post_that_was_sent_is_not_sent_again(tmp_path: Path, headers: dict[str, str]) -> None:
    """A request whose service crashes gets 503 and is not repeated."""
    seen: list[bytes] = []

    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with _proxied(tmp_path, die) as port:
        status, answered, _ = await _ask(port, "POST", TOKEN.path, b"grant_type=x", headers)
    assert (status, answered["Retry-After"], answered["Cache-Control"]) == (503, "1", "no-store")
    assert len(seen) == 1


async def test_a_post_waits_for_a_service_that_is_restarted(tmp_path: Path) -> None:
    """A request waits for a service that is starting, with its complete body."""

    async def length(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(60_000)
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    serving: list[asyncio.Task[None]] = []
    async with _proxy(tmp_path) as (port, sockets):
        asking = asyncio.create_task(_ask(port, "POST", TOKEN.path, b"x" * 60_000))
        await asyncio.wait([asking], timeout=0.5)
        assert not asking.done()
        path = sockets / f"{Service.TOKEN}.sock"
        async with await asyncio.start_unix_server(_closing(length, serving), path):
            assert (await asking)[0] == 204
    await asyncio.gather(*serving)


async def test_a_service_that_stays_away_is_503(tmp_path: Path) -> None:
    """The proxy's own 502 is a 503 with Retry-After."""
    async with _proxy(tmp_path) as (port, _):
        status, headers, _ = await _ask(port, "GET", OPENID_CONFIGURATION.path)
    assert (status, headers["Retry-After"]) == (503, "1")


MALFORMED = {
    "chunk length": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "chunk end": b"Transfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n",
    "chunk too long": b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "trailer": b"Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n",
}


async def _read(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


@planted(calls_a_malformed_body_an_outage)
@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_body_is_the_clients_fault(tmp_path: Path, name: str) -> None:
    """400, without Retry-After."""
    async with _proxied(tmp_path, _read) as port:
        reader, writer = await asyncio.open_connection("localhost", port)
        head = f"POST {TOKEN} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n"
        writer.write(head.encode() + MALFORMED[name])
        answer = (await reader.read()).decode()
        writer.close()
    assert answer.startswith("HTTP/1.1 400 ")
    assert "Retry-After" not in answer


@planted(names_the_proxy)
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [(b"x" * (64 * 1024 + 1), {}, 413), (b"", {"Host": "evil.example"}, 421), (BODY, {}, 503)],
)
async def test_the_proxys_own_answers_do_not_name_it(
    tmp_path: Path, body: bytes, headers: dict[str, str], status: int
) -> None:
    """The proxy's own responses do not name it, and have `nosniff`."""

    async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(body))  # gone earlier, it is an outage, whatever the size

    async with _proxied(tmp_path, hang_up) as port:
        answered, fields, _ = await _ask(port, "POST", TOKEN.path, body, headers)
    assert answered == status
    assert "Server" not in fields
    assert fields["X-Content-Type-Options"] == "nosniff"
