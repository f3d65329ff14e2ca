"""Dispatch: whatever a handler does and a request carries, the client is answered or disconnected."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from shared.config.settings import Settings
from shared.live import clock
from shared.server.app import Handler, application
from shared.server.http import deadlines, dispatch, lateness, server
from shared.server.http.server import Runner, UnsupportedApplicationError
from shared.web.answers import json_answer
from tests.planted import http, planted
from tests.served import Served

HANG_GUARD = 30.0  # seconds; nothing is timed
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GOOD = b"GET /good HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def _good(_: web.Request) -> web.Response:
    return json_answer({"good": True})


def _app(handler: Handler) -> web.Application:
    def mount(app: web.Application) -> None:
        app.router.add_get("/", handler)
        app.router.add_get("/good", _good)

    return application(Settings(trusted_proxies=("127.0.0.1/32",)), mount)


@asynccontextmanager
async def _connected(
    app: web.Application,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with Served(app) as serving, asyncio.timeout(HANG_GUARD):
        reader, writer = await asyncio.open_connection(serving.host, serving.port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> tuple[int, str, bytes]:
    """The status, head and body of the next response."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
    return int(head.split()[1]), head, await reader.readexactly(length)


def _get(*lines: str) -> bytes:
    return "\r\n".join(("GET / HTTP/1.1", "Host: localhost", *lines, "", "")).encode()


@web.middleware
async def _middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await handler(request)


def _with_middleware(app: web.Application) -> None:
    app.middlewares.append(_middleware)


def _with_signal(app: web.Application) -> None:
    async def prepare(_: web.Request, __: web.StreamResponse) -> None: ...

    app.on_response_prepare.append(prepare)


def _with_sub_application(app: web.Application) -> None:
    app.add_subapp("/sub", web.Application())


@planted(http.ignores_middlewares)
@pytest.mark.parametrize("change", [_with_middleware, _with_signal, _with_sub_application])
async def test_what_would_have_no_effect_does_not_start(change: Any) -> None:
    """An application with middlewares, signals or sub-applications does not start."""
    app = _app(_good)
    change(app)
    runner = Runner(app)
    with pytest.raises(UnsupportedApplicationError):
        await runner.setup()


async def test_signals_at_start_and_end_work() -> None:
    """In the order that aiohttp documents."""
    seen = []

    def note(name: str) -> Any:
        async def hook(_: web.Application) -> None:
            seen.append(name)

        return hook

    async def context(_: web.Application) -> AsyncIterator[None]:
        seen.append("context")
        yield
        seen.append("context ends")

    app = _app(_good)
    app.cleanup_ctx.append(context)
    app.on_startup.append(note("startup"))
    app.on_shutdown.append(note("shutdown"))
    app.on_cleanup.append(note("cleanup"))
    runner = Runner(app)
    await runner.setup()
    await runner.cleanup()
    assert seen == ["context", "startup", "shutdown", "context ends", "cleanup"]


class _Unusual(BaseException):
    """An unexpected exception."""


class _BrokenLog:
    """A log that raises at every line."""

    def __getattr__(self, _: str) -> Any:
        raise UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed")


FAULTS = [
    RuntimeError("x"),
    TimeoutError(),
    asyncio.CancelledError(),
    UnicodeDecodeError("utf-8", b"", 0, 1, "x"),
]


@planted(http.skips_the_answer)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_request_is_answered_whatever_its_handler_raises(
    monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """Every exception gets a response, even if it cannot be logged."""
    monkeypatch.setattr(dispatch, "logger", _BrokenLog())

    async def handler(_: web.Request) -> web.Response:
        raise fault

    async with _connected(_app(handler)) as (reader, writer):
        writer.write(_get() + GOOD)
        status, head, body = await _read(reader)
        assert (status, body) == (500, b'{"error":"server_error"}')
        assert "Connection: close" in head
        assert await reader.read() == b""


async def test_what_is_no_exception_ends_the_connection() -> None:
    """The connection is closed at once."""

    async def handler(_: web.Request) -> web.Response:
        raise _Unusual

    async with _connected(_app(handler)) as (reader, writer):
        writer.write(_get())
        assert await reader.read() == b""


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic time, as its only item."""
    time = [1000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: time[0])
    monkeypatch.setattr(lateness, "TICK", 3600.0)
    return time


@planted(http.is_never_late, http.keeps_late_connections)
async def test_a_process_that_was_stopped_refuses_what_it_reads(seconds: list[float]) -> None:
    """503 with Retry-After, without a handler, and the connection is closed. A new one is served."""
    called = []

    async def handler(_: web.Request) -> web.Response:
        called.append(True)
        return json_answer({})

    async with _connected(_app(handler)) as (reader, writer):
        writer.write(_get())
        assert (await _read(reader))[0] == 200
        seconds[0] += lateness.LATE + 0.1
        writer.write(_get())
        status, head, _ = await _read(reader)
        assert status == 503
        assert "Retry-After: " in head
        assert "Connection: close" in head
        assert await reader.read() == b""
    assert called == [True]


@planted(http.keeps_late_connections)
async def test_what_waits_behind_a_request_that_was_stopped_is_dropped(
    monkeypatch: pytest.MonkeyPatch, seconds: list[float]
) -> None:
    """A request that was read before the stop, behind another one, is dropped as well."""

    watches: list[lateness.Lateness] = []

    def watch(loop: asyncio.AbstractEventLoop) -> lateness.Lateness:
        watches.append(lateness.Lateness(loop))
        return watches[0]

    async def handler(_: web.Request) -> web.Response:
        seconds[0] += lateness.LATE + 0.1
        assert watches[0].is_late()  # as its timer finds out
        return json_answer({})

    monkeypatch.setattr(server, "Lateness", watch)
    async with _connected(_app(handler)) as (reader, writer):
        writer.write(_get() + GOOD)
        status, head, _ = await _read(reader)
        assert status == 200
        assert "Connection: close" in head
        assert await reader.read() == b""


@planted(http.answers_at_any_age)
async def test_a_request_that_a_proxy_stamped_long_ago_is_refused() -> None:
    """A request that the proxy stamped long ago is refused, as its client has given up."""
    stamp = f"X-Request-Start: t={clock.now().timestamp() - 60:.3f}"
    async with _connected(_app(_good)) as (reader, writer):
        writer.write(_get(stamp))
        status, head, _ = await _read(reader)
        assert status == 503
        assert "Retry-After: " in head


@planted(http.answers_at_any_age)
async def test_a_request_is_given_up_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request ends at its deadline, whatever its handler waits for."""
    monkeypatch.setattr(dispatch, "MAX_AGE", timedelta(seconds=0.05))
    monkeypatch.setattr(deadlines, "TICK", 0.01)

    async def handler(_: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return json_answer({})

    async with _connected(_app(handler)) as (reader, writer):
        writer.write(_get())
        status, head, _ = await _read(reader)
        assert status == 503
        assert "Retry-After: " in head


KIB = 1024


@planted(http.limits_each_field_to_8_kib)
@pytest.mark.parametrize(
    "lines",
    [[f"Cookie: a={'x' * 12 * KIB}"], [f"X-{n}: {'y' * 10 * KIB}" for n in range(3)]],
    ids=["one", "several"],
)
async def test_header_fields_of_32_kib_are_accepted(lines: list[str]) -> None:
    """Header fields of 32 KiB are accepted, as other applications on the host may set cookies."""
    async with _connected(_app(_good)) as (reader, writer):
        writer.write(_get(*lines))
        assert (await _read(reader))[0] == 200


@planted(http.counts_no_fields)
@pytest.mark.parametrize(
    "lines",
    [[f"X-{n}: {'y' * 11 * KIB}" for n in range(3)], [f"Cookie: a{n}={'x' * 20 * KIB}" for n in "bc"]],
)
async def test_more_is_refused_in_words(lines: list[str]) -> None:
    """RFC 6585 §5, for one large field or many."""
    async with _connected(_app(_good)) as (reader, writer):
        writer.write(_get(*lines))
        status, _, body = await _read(reader)
        assert status == 431
        assert b"header fields are larger than 32 KiB" in body


async def test_one_field_that_is_too_large_is_refused_in_words() -> None:
    """A field that is too large is refused before it is complete."""
    async with _connected(_app(_good)) as (reader, writer):
        writer.write(_get(f"Cookie: {'x' * 40 * KIB}"))
        status, _, body = await _read(reader)
        assert status == 431
        assert b"header fields are larger than 32 KiB" in body


async def test_a_target_that_is_too_long_is_refused_in_words() -> None:
    """RFC 9110 §15.5.15."""
    async with _connected(_app(_good)) as (reader, writer):
        writer.write(f"GET /?{'x' * 20 * KIB} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        status, _, body = await _read(reader)
        assert status == 414
        assert b"longer than 16 KiB" in body
