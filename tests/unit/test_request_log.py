"""The request log: one line for each request, and one write for each iteration of the loop."""

import asyncio
import time
from collections.abc import Iterator

import orjson
import pytest

from shared.server.log.request_log import RequestLog


async def test_the_requests_of_one_turn_leave_in_one_write() -> None:
    """In their order, a line each."""
    written: list[bytes] = []
    log = RequestLog("token", written.append)
    for number in range(3):
        log.answered(f"request-{number}", "GET", "/oidc/userinfo", 200, 0.001)
    await asyncio.sleep(0)
    (once,) = written
    assert [orjson.loads(line)["request_id"] for line in once.splitlines()] == [
        "request-0",
        "request-1",
        "request-2",
    ]


async def test_a_write_that_fails_stops_no_later_one() -> None:
    """If the disk is full for a moment, lines are lost and nothing accumulates."""
    written: list[bytes] = []

    def write(lines: bytes) -> None:
        written.append(lines)
        if len(written) == 1:
            raise OSError("no space left")

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    log = RequestLog("token", write)
    for _ in range(2):
        log.answered("request-id", "GET", "/oidc/userinfo", 200, 0.001)
        await asyncio.sleep(0)
    assert [lines.count(b"\n") for lines in written] == [1, 1]


@pytest.fixture
def _far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clocks on the wall are nine hours ahead, at a moment that no other test has logged."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(time, "time_ns", lambda: 1_700_000_000_123_456_789)
        elsewhere.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_far_from_utc")
async def test_a_line_says_what_other_lines_say() -> None:
    """A line has the duration in milliseconds and the time in UTC, in microseconds."""
    written: list[bytes] = []
    RequestLog("token", written.append).answered("request-id", "GET", "/oidc/userinfo", 401, 0.0123456)
    await asyncio.sleep(0)
    line = orjson.loads(written[0])
    assert line == {
        "timestamp": "2023-11-14T22:13:20.123456Z",
        "method": "GET",
        "route": "/oidc/userinfo",
        "status": 401,
        "ms": 12.35,
        "event": "request",
        "service": "token",
        "request_id": "request-id",
        "level": "info",
    }
