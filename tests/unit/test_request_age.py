"""The age of a request, from a trusted proxy's stamp or from when it was read."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from shared.config.settings import Settings
from shared.live import clock
from shared.server.app import Handler, application
from shared.web.answers import json_answer
from shared.web.form import body
from shared.web.request_age import (
    is_abandoned,
    parse_stamp,
    request_age,
    time_since_complete,
)
from tests.served import Served

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
HANG_GUARD = 30.0  # seconds


class Clock:
    """A clock that only a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1000.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.seconds)
        monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(seconds=self.seconds - 1000))


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the process, stopped."""
    return Clock(monkeypatch)


def _app(handler: Handler, trusted: tuple[str, ...] = ("127.0.0.1/32",)) -> web.Application:
    def mount(app: web.Application) -> None:
        app.router.add_route("*", "/", handler)

    return application(Settings(trusted_proxies=trusted), mount)


async def _ask(app: web.Application, *lines: str, late: bytes = b"", meanwhile: Callable[[], None]) -> None:
    """Send a request with these header lines, call *meanwhile* once it is read, then send *late*."""
    async with Served(app) as server, asyncio.timeout(HANG_GUARD):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        head = ("POST / HTTP/1.1", "Host: localhost", f"Content-Length: {len(late)}", *lines, "", "")
        writer.write("\r\n".join(head).encode())
        if late:
            await reader.readuntil(b"\r\n\r\n")  # 100 Continue: the handler is reading
        meanwhile()
        writer.write(late)
        assert b" 200 " in await reader.readline()
        writer.close()


def _measuring(measure: Callable[[web.Request], Awaitable[None]]) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        await measure(request)
        return json_answer({})

    return handler


@pytest.mark.parametrize(
    "value", ["t=1777636800.000", "1777636800", "1777636800000", "t=1777636800000", "1777636800000000"]
)
def test_a_stamp_is_read_in_every_proxys_unit(value: str) -> None:
    """Seconds with or without a fraction, milliseconds, microseconds."""
    assert parse_stamp(value) == NOW


@pytest.mark.parametrize(
    "value",
    ["", "t=", "now", "-1777636800", "1777636800,1", "17776368001", "1e9", "inf", "١٧٧٧٦٣٦٨٠٠", "9" * 400],
)
def test_what_is_no_stamp_is_none(value: str) -> None:
    """A malformed stamp is ignored."""
    assert parse_stamp(value) is None


async def test_a_request_ages_from_when_its_head_was_read(stopped: Clock) -> None:
    """Without a stamp, the age counts from reading the request."""
    ages = []

    async def measure(request: web.Request) -> None:
        stopped.seconds += 3
        ages.append(request_age(request))

    await _ask(_app(_measuring(measure)), meanwhile=lambda: None)
    assert ages == [timedelta(seconds=3)]


@pytest.mark.parametrize(
    ("stamp", "trusted", "age"),
    [
        ("t=1777636795.500", True, 5.5),
        ("t=1777636795.500", False, 1.0),
        ("t=1777640000.000", True, 1.0),
        ("yesterday", True, 1.0),
    ],
    ids=["an old stamp", "a stranger's stamp", "a stamp from the future", "no stamp"],
)
async def test_only_a_trusted_proxys_stamp_makes_a_request_older(
    stopped: Clock, stamp: str, trusted: bool, age: float
) -> None:
    """A stamp never makes a request younger."""
    ages = []

    async def measure(request: web.Request) -> None:
        stopped.seconds += 1
        ages.append(request_age(request))

    app = _app(_measuring(measure), ("127.0.0.1/32",) if trusted else ())
    await _ask(app, f"X-Request-Start: {stamp}", meanwhile=lambda: None)
    assert ages == [timedelta(seconds=age)]


async def test_a_request_is_complete_when_its_body_is(stopped: Clock) -> None:
    """A head that comes early does not make a late body older."""
    ages = []

    async def measure(request: web.Request) -> None:
        await body(request)
        stopped.seconds += 2
        ages.extend([time_since_complete(request), request_age(request)])

    def wait() -> None:
        stopped.seconds += 5

    await _ask(_app(_measuring(measure)), "Expect: 100-continue", late=b"a=b", meanwhile=wait)
    assert ages == [timedelta(seconds=2), timedelta(seconds=7)]


async def test_a_request_whose_connection_is_closed_is_abandoned() -> None:
    """The age grows from then on."""
    seen: asyncio.Queue[bool] = asyncio.Queue()
    may_go_on = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        await seen.put(is_abandoned(request))
        await may_go_on.wait()
        while not is_abandoned(request):
            await asyncio.sleep(0)
        await seen.put(True)
        return json_answer({})

    async with Served(_app(handler)) as server, asyncio.timeout(HANG_GUARD):
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await seen.get() is False
        writer.close()
        may_go_on.set()
        assert await seen.get() is True
