"""The guarded fetcher: the only way to request a URI that a client named.

It connects only to public addresses (RFC 9101 §10.4, OWASP SSRF), checked after resolution and pinned. It
follows no redirects and uses no proxies and no cookies. Time, size and the number of requests are limited.
The caller learns only that a request failed, not why.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import structlog
from yarl import URL

from shared.codec.json_text import BadJson, parse_value
from shared.fetch.breaker import Breaker
from shared.fetch.resolver import GuardedResolver, Lookup, SystemLookup
from shared.oauth.fetch_target import BadTarget, Target, target

TIMEOUT = 3.0  # seconds, in all
MAX_BODY = 256 * 1024
AT_A_TIME = 16

logger = structlog.get_logger()

Result = TypeVar("Result")
Read = Callable[[aiohttp.ClientResponse], Awaitable[Result]]


class FetchFailed(Exception):
    """The request failed. The reason is only for the log."""


class FetchRefused(FetchFailed):
    """The URI must not be requested: no connection was made."""


@dataclass(frozen=True, slots=True)
class FetchedBody:
    """A 200 response: its body, its media type without parameters, and its headers, whatever their case."""

    body: bytes
    content_type: str
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """The body as UTF-8. Raises ValueError."""
        return self.body.decode()


class Fetcher:
    """Fetches and posts. Every method raises FetchFailed, FetchRefused."""

    def __init__(self, session: aiohttp.ClientSession, allow: tuple[str, ...], breaker: Breaker) -> None:
        self._session = session
        self._allow = allow
        self._breaker = breaker
        self._slots = asyncio.Semaphore(AT_A_TIME)

    async def get_text(self, uri: str) -> str:
        """The body of a 200 response: UTF-8 of at most 256 KiB, of any content type."""
        return await self.get(uri, lambda fetched: fetched.text)

    async def get_json(self, uri: str) -> Any:
        """The JSON value of a 200 response."""
        return await self.get(uri, lambda fetched: parse_value(fetched.body))

    async def post_form(self, uri: str, form: Mapping[str, str]) -> int:
        """Post a form. Returns the status of the response; its body is not read."""
        return await self._ask(self._target(uri), "POST", _status, form)

    async def get(self, uri: str, parse: Callable[[FetchedBody], Result], most: int = MAX_BODY) -> Result:
        """What *parse* reads from a 200 response of at most *most* bytes; it may raise ValueError."""
        target = self._target(uri)
        if self._breaker.has_failed(uri):
            raise FetchFailed("failed a moment ago")
        try:
            return parse(await self._ask(target, "GET", partial(_fetched, most=most), None))
        except _Busy:
            raise
        except (FetchFailed, BadJson, ValueError) as fault:
            self._breaker.remember(uri)
            raise FetchFailed(str(fault)) from None

    def _target(self, uri: str) -> Target:
        try:
            return target(uri, self._allow)
        except BadTarget as fault:
            raise FetchRefused(f"the URI {fault}") from None

    async def _ask(
        self, target: Target, method: str, read: Read[Result], form: Mapping[str, str] | None
    ) -> Result:
        host, deadline = f"{target.host}:{target.port}", asyncio.get_running_loop().time() + TIMEOUT
        if not self._breaker.enter(host):
            raise _Busy(f"{host} is busy or keeps failing")
        has_answered: bool | None = None
        try:
            async with (
                self._slot(deadline),
                asyncio.timeout_at(deadline),
                self._session.request(
                    method, URL(target.uri, encoded=True), data=form, allow_redirects=False
                ) as response,
            ):
                result = await read(response)
                has_answered = True
                return result
        except _BadAnswer:
            has_answered = True
            raise
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as fault:
            has_answered = False
            logger.info("fetch_failed", host=host, cause=f"{type(fault).__name__}: {fault}"[:200])
            raise FetchFailed("there is no answer") from None
        finally:
            self._breaker.leave(host, has_answered)

    @asynccontextmanager
    async def _slot(self, deadline: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            raise _Busy("too much is being fetched") from None
        try:
            yield
        finally:
            self._slots.release()


class _Busy(FetchFailed):
    """No request was made, so nothing is known about the URI."""


class _BadAnswer(FetchFailed):
    """The host responds, but not as required."""


async def _status(response: aiohttp.ClientResponse) -> int:
    return response.status


async def _fetched(response: aiohttp.ClientResponse, most: int) -> FetchedBody:
    if response.status != 200:
        raise _BadAnswer("the status is not 200")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _BadAnswer("the body is encoded, though that was not asked for")
    body = bytearray()
    async for part in response.content.iter_chunked(16 * 1024):
        body += part
        if len(body) > most:
            raise _BadAnswer("the body is too long")
    return FetchedBody(bytes(body), response.content_type, response.headers)


@cache
def _trusted_by_the_system() -> ssl.SSLContext:
    """Read once in a process: the CAs of a system take 20 ms."""
    return ssl.create_default_context()


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return _trusted_by_the_system()
    context = ssl.create_default_context()
    context.load_verify_locations(ca_file)
    return context


@asynccontextmanager
async def open_fetcher(
    allow: tuple[str, ...] = (),
    ca_file: Path | None = None,
    lookup: Lookup | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Fetcher]:
    """A fetcher. *allow*: `host:port`s that may be private; *ca_file*: an additional trusted CA."""
    system = SystemLookup()
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(lookup or system, allow),
        use_dns_cache=False,
        force_close=True,  # each request is resolved, checked and pinned separately
        ssl=_trusted(ca_file),
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "Ostiary", "Accept": "*/*", "Accept-Encoding": "identity"},
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None),
    )
    try:
        yield Fetcher(session, allow, Breaker(clock))
    finally:
        await session.close()
        system.close()
