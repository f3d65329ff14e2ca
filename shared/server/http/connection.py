"""A client's connection: aiohttp's, with our own error responses for malformed requests."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpProcessingError

from shared.server.http.refusals import defect, malformed
from shared.web.request import MAX_FIELDS, MAX_TARGET

if TYPE_CHECKING:
    from shared.server.http.server import HttpServer

QUIET_TIMEOUT = 75.0  # seconds between a response and the head of the next request; proxies close before that
LINGER_TIMEOUT = 10.0  # seconds for the rest of a body that was answered before it had arrived

logger = structlog.get_logger()


class WrittenResponse(web.StreamResponse):
    """Tells aiohttp that the response is written, and whether the connection stays open."""

    def __init__(self, *, is_kept: bool) -> None:
        super().__init__()
        self._is_kept = is_kept

    @property
    def keep_alive(self) -> bool:
        return self._is_kept

    async def prepare(self, _: web.BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, _: bytes = b"") -> None:
        pass


class _Refused(WrittenResponse):
    """An error response that waits for the client to close, because closing first could reset it."""

    def __init__(self, connection: "HttpConnection") -> None:
        super().__init__(is_kept=False)
        self._connection = connection

    async def write_eof(self, _: bytes = b"") -> None:
        await self._connection.linger()


class HttpConnection(web.RequestHandler):
    """A connection of the server."""

    def __init__(self, server: "HttpServer", loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own default of AppRunner; it means none
            keepalive_timeout=QUIET_TIMEOUT,
            lingering_time=LINGER_TIMEOUT,
            max_line_size=MAX_TARGET,
            max_field_size=MAX_FIELDS,
            auto_decompress=False,  # encoded bodies are rejected, not decoded
        )
        self._lingering: asyncio.Event | None = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that the parser could not read, in place of aiohttp's own error page."""
        if isinstance(exc, HttpProcessingError):
            logger.info("http_refused", detail=exc.message[:200])
            answer = malformed(exc)
        else:
            logger.error("defect", exc_info=exc)
            answer = defect()
        if self.transport is not None:
            self.transport.write(answer)
        return _Refused(self)

    def close(self) -> None:
        super().close()
        self._stop_lingering()

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._stop_lingering()

    def _stop_lingering(self) -> None:
        if self._lingering:
            self._lingering.set()

    async def linger(self) -> None:
        """Discard what the client still sends, until it closes or LINGER_TIMEOUT expires."""
        self.close()
        if self.transport is None:
            return
        self.transport.write_eof()
        self._lingering = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_TIMEOUT):
                await self._lingering.wait()


async def drain(request: web.Request) -> None:
    """Wait for the client to read its responses. If it does not read them in time, it is disconnected."""
    try:
        async with asyncio.timeout(QUIET_TIMEOUT):
            await request.writer.drain()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
