"""Incomplete bodies, and bodies that contradict their headers, are refused without a defect in the log."""

import asyncio
import gzip
import re
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import UUID

import pytest
import structlog
from aiohttp import web

from services.accounts.app import mount as accounts
from services.authorization.app import mount as authorization
from services.client_registry.app import mount as client_registry
from services.token.app import mount as token
from shared.config.environment import read_settings
from shared.config.settings import Settings
from shared.paths import ADMINISTRATION_PREFIX, REGISTRATION
from shared.server.app import application
from shared.server.http.server import Runner
from tests.builders import World
from tests.deployment import settings_for


class Route(NamedTuple):
    """A route that reads a body."""

    method: str
    path: str

    @property
    def subtype(self) -> str:
        """What the body is."""
        is_json = self.path.startswith((ADMINISTRATION_PREFIX, REGISTRATION.path))
        return "json" if is_json else "x-www-form-urlencoded"


def _application(settings: Settings) -> web.Application:
    return application(settings, authorization, client_registry, token, accounts)


def _routes() -> Iterator[Route]:
    """Every route that reads a body. The administration's refuse before they read it: nobody has a token."""
    settings = {"OSTIARY_REGISTRATION": "open", "OSTIARY_SIGN_UP": "open"}
    for route in _application(read_settings(settings)).router.routes():
        if route.resource and route.method in ("POST", "PUT", "PATCH"):
            yield Route(route.method, re.sub(r"\{[a-z_]+\}", str(UUID(int=1)), route.resource.canonical))


POSTED = sorted(_routes())
FORM = b"grant_type=client_credentials&token=x&client_id=x"


@pytest.fixture(scope="module")
def settings(module_database_url: str, module_redis_url: str) -> Settings:
    """Open registration, as only the body is tested."""
    return settings_for(
        module_database_url,
        module_redis_url,
        registration="open",
        sign_up="open",
        smtp_url="smtp://127.0.0.1:9",
        rate_limits="off",
    )


@pytest.fixture
async def server(settings: Settings, world: World) -> AsyncIterator[str]:
    """The socket of a server with every service, as in `ostiary serve`."""
    runner = Runner(_application(settings))
    await runner.setup()
    with TemporaryDirectory(prefix="ostiary-") as folder:
        await web.UnixSite(runner, path := f"{folder}/service").start()
        yield path
        await runner.cleanup()


def _head(route: Route, *lines: str, has_type: bool = True) -> bytes:
    whole = (
        f"{route.method} {route.path} HTTP/1.1",
        "Host: localhost",
        *([f"Content-Type: application/{route.subtype}"] if has_type else []),
        "Connection: close",
        *lines,
        "\r\n",
    )
    return "\r\n".join(whole).encode()


async def _status(server: str, sent: bytes) -> int:
    """The status of the answer."""
    reader, writer = await asyncio.open_unix_connection(server)
    writer.write(sent)
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    return int(answer.split()[1])


def _defects(logs: Sequence[structlog.typing.EventDict]) -> list[structlog.typing.EventDict]:
    return [event for event in logs if event["log_level"] == "error"]


ENCODINGS = {
    "gzip": gzip.compress(FORM),
    "gzip that is none": FORM,
    "gzip that explodes": gzip.compress(b"a" * 10_000_000),
    "deflate": zlib.compress(FORM),
    "deflate that is none": FORM,
    "GZIP, identity": gzip.compress(FORM),
    "x-gzip": gzip.compress(FORM),
    "bogus": FORM,
}


@pytest.mark.parametrize("name", ENCODINGS)
async def test_an_encoded_body_is_refused(server: str, name: str) -> None:
    """Encoded bodies are never decoded, and never cause a server error."""
    body, encoding = ENCODINGS[name], name.partition(" that")[0]
    with structlog.testing.capture_logs() as logs:
        for route in POSTED:
            head = _head(route, f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}")
            assert await _status(server, head + body) in (400, 401, 403), route
    assert _defects(logs) == []


CONTENT_TYPES = (
    None,
    "application/xml",
    "",
    "text/plain",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/x-www-form-urlencoded-not",
    "application/x-www-form-urlencoded, application/json",
    "a/b/c",
    ";",
)


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
async def test_only_its_own_content_type_is_read(server: str, content_type: str | None) -> None:
    """The same bytes with another content type are refused everywhere."""
    with structlog.testing.capture_logs() as logs:
        for route in POSTED:
            lines = [] if content_type is None else [f"Content-Type: {content_type}"]
            head = _head(route, f"Content-Length: {len(FORM)}", *lines, has_type=False)
            assert await _status(server, head + FORM) in (400, 401, 403, 415), route
    assert _defects(logs) == []


CHUNKS = {
    "no number": b"zz\r\na=b\r\n0\r\n\r\n",
    "too short": b"1\r\na=b\r\n0\r\n\r\n",
    "negative": b"-1\r\n\r\n",
}


@pytest.mark.parametrize("body", CHUNKS.values(), ids=CHUNKS.keys())
@pytest.mark.parametrize("is_late", [False, True])
async def test_a_malformed_body_is_refused(server: str, body: bytes, is_late: bool) -> None:
    """Malformed bodies are refused, whether the fault shows at once or later."""
    begun = b"3\r\nc=d\r\n" if is_late else b""
    with structlog.testing.capture_logs() as logs:
        for route in POSTED:
            head = _head(route, "Transfer-Encoding: chunked")
            assert await _status(server, head + begun + body) in (400, 401, 403), route
    assert _defects(logs) == []


async def test_a_body_that_breaks_off_is_no_defect(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that disconnects during its body causes a refusal, not a defect."""
    statuses: list[int] = []
    monkeypatch.setattr(
        "shared.server.http.dispatch.observe_request", lambda _, status, __: statuses.append(status)
    )
    with structlog.testing.capture_logs() as logs:
        for number, route in enumerate(POSTED, 1):
            reader, writer = await asyncio.open_unix_connection(server)
            writer.write(_head(route, "Content-Length: 100", "Expect: 100-continue"))
            async with asyncio.timeout(30):
                assert b" 100 " in await reader.readline()  # it is waiting for the body
                writer.write(b"a=b")
                writer.close()
                while len(statuses) < number:
                    await asyncio.sleep(0.01)
    assert _defects(logs) == []
    assert set(statuses) <= {400, 401, 403}


FIELDS = (
    "Accept-Language",
    "Authorization",
    "Cookie",
    "Origin",
    "Sec-Fetch-Site",
    "User-Agent",
    "X-Forwarded-For",
    "X-Request-Id",
    "X-Request-Start",
)


@pytest.mark.parametrize("field", FIELDS)
async def test_a_byte_in_a_header_field_leaves_nothing_unanswered(server: str, field: str) -> None:
    """Header bytes that are not UTF-8 become lone surrogates, and the request gets a response."""
    with structlog.testing.capture_logs() as logs:
        for route in POSTED:
            head = _head(route, f"Content-Length: {len(FORM)}").removesuffix(b"\r\n")
            sent = head + field.encode() + b": \xff\r\n\r\n" + FORM
            assert await _status(server, sent) < 500, route
    assert _defects(logs) == []
