"""The guarded fetcher against hostile hosts: redirects, internal addresses, and slow or large responses."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohappyeyeballs
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from shared import fetch
from shared.fetch import Fetcher, FetchFailed, FetchRefused, open_fetcher
from shared.fetch.breaker import FAILED_FOR, OPEN_AFTER, OPEN_FOR, PER_HOST
from tests.certificates import a_certificate
from tests.planted import planted
from tests.planted.redis import a_host_not_asked_counts_as_answering

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

PUBLIC = "93.184.216.34"


class _BreakerClock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


class _FetchHost:
    """A relying party's web server on loopback, which counts its requests and does what a test says."""

    def __init__(self) -> None:
        self.seen: list[web.BaseRequest] = []
        self.answer: Answer = _hello
        self.bodies: list[str] = []

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        self.bodies.append(await request.text())
        return await self.answer(request)


async def _hello(_: web.BaseRequest) -> web.StreamResponse:
    return web.json_response({"hello": "world"})


@pytest.fixture
async def host() -> AsyncIterator[tuple[_FetchHost, RawTestServer]]:
    """A server on loopback, over http."""
    answering = _FetchHost()
    server = RawTestServer(answering)
    await server.start_server()
    yield answering, server
    await server.close()


def _lookup(*answers: list[str]) -> Callable[[str, int], Awaitable[list[str]]]:
    """A resolver with a sequence of answers; the last one repeats."""
    left = list(answers)

    async def lookup(host: str, port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return lookup


@asynccontextmanager
async def _fetcher(server: RawTestServer, **arguments: Any) -> AsyncIterator[tuple[Fetcher, str]]:
    allow = (f"rp.example:{server.port}",)
    async with open_fetcher(allow, **{"lookup": _lookup(["127.0.0.1"]), **arguments}) as fetcher:
        yield fetcher, f"http://{allow[0]}"


async def test_what_an_allowed_host_answers_is_read(host: tuple[_FetchHost, RawTestServer]) -> None:
    """The request has the URI's host, no cookies and no Accept-Encoding."""
    answering, server = host
    async with _fetcher(server) as (fetcher, origin):
        assert await fetcher.get_json(f"{origin}/b%7E?x=%2B") == {"hello": "world"}
        assert await fetcher.get_text(f"{origin}/b") == '{"hello": "world"}'
    request = answering.seen[0]
    assert request.headers["Host"] == origin.removeprefix("http://")
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.raw_path == "/b%7E?x=%2B"
    assert "Cookie" not in answering.seen[1].headers


@pytest.mark.point(24)
async def test_a_form_is_posted_and_its_status_is_the_answer(host: tuple[_FetchHost, RawTestServer]) -> None:
    """Any status is returned; redirects are not followed."""
    answering, server = host

    async def elsewhere(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "/elsewhere", "Set-Cookie": "a=b"})

    async with _fetcher(server) as (fetcher, origin):
        assert await fetcher.post_form(f"{origin}/", {"logout_token": "a+b&c"}) == 200
        answering.answer = elsewhere
        assert await fetcher.post_form(f"{origin}/", {"logout_token": "x"}) == 307
        assert await fetcher.post_form(f"{origin}/", {"logout_token": "x"}) == 307
    assert answering.bodies == ["logout_token=a%2Bb%26c", "logout_token=x", "logout_token=x"]
    assert "Cookie" not in answering.seen[2].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["http://127.0.0.1:{port}/x", "/x", "file:///etc/passwd", "//[::1]/"])
async def test_no_redirect_is_followed(
    host: tuple[_FetchHost, RawTestServer], status: int, location: str
) -> None:
    """Not even to the same host."""
    answering, server = host

    async def redirect(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": location.format(port=server.port)})

    answering.answer = redirect
    async with _fetcher(server) as (fetcher, origin):
        with pytest.raises(FetchFailed):
            await fetcher.get_json(f"{origin}/")
    assert len(answering.seen) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        [PUBLIC, "::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["64:ff9b::7f00:1"],
        ["fe80::1%lo"],
        ["not an address"],
        [],
    ],
)
async def test_a_name_that_leads_inside_is_not_connected_to(
    host: tuple[_FetchHost, RawTestServer], monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    """A name with an internal address among its addresses is refused."""
    answering, server = host
    connected = _record_connections(monkeypatch)
    async with open_fetcher(lookup=_lookup(addresses)) as fetcher:
        for ask in (fetcher.get_json, fetcher.get_text):
            with pytest.raises(FetchFailed):
                await ask(f"https://rp.example:{server.port}/")
        with pytest.raises(FetchFailed):
            await fetcher.post_form(f"https://rp.example:{server.port}/", {})
    assert connected == []
    assert answering.seen == []


def _record_connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    connected: list[str] = []

    async def record(addr_infos: Any, **_: Any) -> Any:
        connected.extend(info[4][0] for info in addr_infos)
        raise ConnectionRefusedError

    monkeypatch.setattr(aiohappyeyeballs, "start_connection", record)
    return connected


async def test_a_name_that_changes_its_mind_is_asked_once_and_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the fetcher connects to the address that it has checked."""
    connected = _record_connections(monkeypatch)
    async with open_fetcher(lookup=_lookup([PUBLIC], ["127.0.0.1"])) as fetcher:
        with pytest.raises(FetchFailed):
            await fetcher.get_json("https://rp.example/jwks")
        assert connected == [PUBLIC]
        with pytest.raises(FetchFailed):
            await fetcher.get_json("https://rp.example/another")
    assert connected == [PUBLIC]


async def test_an_address_of_the_inside_is_refused_before_anything_is_asked(
    host: tuple[_FetchHost, RawTestServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Literal internal addresses are refused, too."""
    answering, server = host
    connected = _record_connections(monkeypatch)
    async with open_fetcher() as fetcher:
        for uri in (
            f"https://127.0.0.1:{server.port}/",
            f"http://127.0.0.1:{server.port}/",
            "file:///etc/passwd",
        ):
            with pytest.raises(FetchRefused):
                await fetcher.get_json(uri)
            with pytest.raises(FetchRefused):
                await fetcher.post_form(uri, {})
    assert connected == []
    assert answering.seen == []


async def test_the_environment_names_no_proxy(
    host: tuple[_FetchHost, RawTestServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxy variables are ignored, as a proxy would resolve names itself."""
    answering, server = host
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with _fetcher(server) as (fetcher, origin):
        await fetcher.get_json(origin)
    assert len(answering.seen) == 1


async def _endless(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 16 * 1024)


async def _drip(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.01)


async def _silence(_: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(60)
    raise AssertionError


def _body(
    body: bytes, status: int = 200, **headers: str
) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, status=status, headers=named)

    return answer


HOSTILE = {
    "endless": _endless,
    "one byte at a time": _drip,
    "silence": _silence,
    "too long by a byte": _body(b"1".rjust(fetch.MAX_BODY + 1)),
    "gzip bomb": _body(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip"),
    "encoded and short": _body(gzip.compress(b"{}"), Content_Encoding="gzip"),
    "encoded": _body(b"{}", Content_Encoding="br"),
    "markup": _body(b"<html>"),
    "deep": _body(b"[" * 100_000),
    "NaN": _body(b"NaN"),
    "not UTF-8": _body(b'"\xff"'),
    "nothing": _body(b""),
    "500": _body(b"{}", status=500),
    "404": _body(b"{}", status=404),
    "206": _body(b"{}", status=206),
    "204": _body(b"", status=204),
    "long header": _body(b"{}", X_Long="x" * 20_000),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_answer_is_a_failure_in_time(
    host: tuple[_FetchHost, RawTestServer],
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
) -> None:
    """Every hostile response is the same failure, within the time limit."""
    monkeypatch.setattr(fetch, "TIMEOUT", 0.3)
    answering, server = host
    answering.answer = answer
    async with _fetcher(server) as (fetcher, origin):
        with pytest.raises(FetchFailed) as failure:
            await asyncio.wait_for(fetcher.get_json(f"{origin}/"), 10)
    assert not isinstance(failure.value, FetchRefused)
    assert len(answering.seen) == 1


async def test_the_longest_body_is_read(host: tuple[_FetchHost, RawTestServer]) -> None:
    """The limit is the limit, with many members in it."""
    answering, server = host
    answering.answer = _body(b'{"a":1}'.rjust(fetch.MAX_BODY))
    async with _fetcher(server) as (fetcher, origin):
        assert await fetcher.get_json(f"{origin}/") == {"a": 1}


async def test_a_uri_that_failed_is_left_alone_for_a_moment(host: tuple[_FetchHost, RawTestServer]) -> None:
    """After a failure, a URI is not fetched for a moment; other URIs of the host are."""
    answering, server = host
    answering.answer, clock = _body(b"no", status=500), _BreakerClock()
    async with _fetcher(server, clock=clock) as (fetcher, origin):
        for _ in range(1000):
            with pytest.raises(FetchFailed):
                await fetcher.get_json(f"{origin}/jwks")
        assert len(answering.seen) == 1
        answering.answer = _hello
        assert await fetcher.get_json(f"{origin}/other") == {"hello": "world"}
        clock.time = FAILED_FOR + 0.1
        assert await fetcher.get_json(f"{origin}/jwks") == {"hello": "world"}


async def test_a_host_that_keeps_failing_is_left_alone(host: tuple[_FetchHost, RawTestServer]) -> None:
    """A host that keeps failing is not contacted, until one attempt after a while succeeds."""
    _, server = host
    lookups, clock, is_down = [], _BreakerClock(), True

    async def lookup(name: str, port: int) -> list[str]:
        lookups.append(name)
        if is_down:
            raise OSError("no such name")
        return ["127.0.0.1"]

    async with _fetcher(server, clock=clock, lookup=lookup) as (fetcher, origin):
        for number in range(50):
            with pytest.raises(FetchFailed):
                await fetcher.post_form(f"{origin}/{number}", {})
        assert len(lookups) == OPEN_AFTER
        is_down, clock.time = False, OPEN_FOR + 0.1
        assert await fetcher.post_form(f"{origin}/", {}) == 200
        assert await fetcher.post_form(f"{origin}/", {}) == 200


@planted(a_host_not_asked_counts_as_answering)
async def test_a_host_that_is_not_asked_keeps_its_failures(
    host: tuple[_FetchHost, RawTestServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetches that wait in vain or are cancelled do not count for the host."""
    answering, server = host
    answering.answer = _hang_up
    monkeypatch.setattr(fetch, "AT_A_TIME", 1)
    async with _fetcher(server) as (fetcher, origin):
        for number in range(OPEN_AFTER - 1):
            with pytest.raises(FetchFailed):
                await fetcher.post_form(f"{origin}/{number}", {})
        async with fetcher._slots:  # all that are fetched at a time
            monkeypatch.setattr(fetch, "TIMEOUT", 0.0)
            with pytest.raises(FetchFailed):
                await fetcher.post_form(f"{origin}/waits", {})
            monkeypatch.undo()
            given_up = asyncio.create_task(fetcher.post_form(f"{origin}/given-up", {}))
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
        asked = len(answering.seen)
        for number in range(5):
            with pytest.raises(FetchFailed):
                await fetcher.post_form(f"{origin}/after-{number}", {})
        assert len(answering.seen) == asked + 1


async def _hang_up(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def test_one_host_holds_a_few_slots_at_most(host: tuple[_FetchHost, RawTestServer]) -> None:
    """Concurrent fetches above the limit of a host fail at once, and do not count as failures."""
    answering, server = host
    gate = asyncio.Event()

    async def wait(_: web.BaseRequest) -> web.StreamResponse:
        await gate.wait()
        return web.json_response({})

    answering.answer = wait
    async with _fetcher(server) as (fetcher, origin):
        first = [asyncio.create_task(fetcher.get_json(f"{origin}/{number}")) for number in range(PER_HOST)]
        while len(answering.seen) < PER_HOST:
            await asyncio.sleep(0.01)
        for _ in range(10):
            with pytest.raises(FetchFailed):
                await fetcher.get_json(f"{origin}/more")
        gate.set()
        assert await asyncio.gather(*first) == [{}] * PER_HOST
        assert await fetcher.get_json(f"{origin}/more") == {}


async def test_tls_is_checked_for_the_name_against_the_operators_authority(tmp_path: Path) -> None:
    """The certificate must be the name's, though the connection goes to an address."""
    certificate = a_certificate("rp.example", tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain_file, certificate.key_file)
    server = RawTestServer(_hello)
    await server.start_server(ssl=context)
    allow = (f"rp.example:{server.port}", f"other.example:{server.port}")
    lookup = _lookup(["127.0.0.1"])
    async with open_fetcher(allow, certificate.ca_file, lookup) as fetcher:
        assert await fetcher.get_json(f"https://{allow[0]}/") == {"hello": "world"}
        with pytest.raises(FetchFailed):
            await fetcher.get_json(f"https://{allow[1]}/")
    async with open_fetcher(allow, None, lookup) as fetcher:
        with pytest.raises(FetchFailed):
            await fetcher.get_json(f"https://{allow[0]}/")
    await server.close()
