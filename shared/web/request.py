"""A request as handlers get it."""

import asyncio
from typing import cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from shared.live import clock

MAX_BODY = 64 * 1024


class Connected(BaseProtocol):
    """What a request asks of the connection that it came over."""

    ssl_context = None  # TLS ends at the proxy
    peername: object = None
    sockname: object = None
    is_last = False  # nothing is read after the request that is being answered


class Request(web.Request):
    """aiohttp's, made without its server: nothing is answered through it, and no task is its own."""

    ATTRS = web.Request.ATTRS | {"connection", "allowed_origins", "read_at", "completed_at"}
    allowed_origins: tuple[str, ...] | None = None
    """Whose pages may read the answer of a path that answers other origins; None: anybody's."""

    def __init__(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        connection: Connected,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.connection = connection
        self.read_at = self.completed_at = clock.monotonic()
        super().__init__(
            message,
            payload,
            cast(RequestHandler, connection),
            cast(AbstractStreamWriter, None),
            cast("asyncio.Task[None]", None),
            loop,
            client_max_size=MAX_BODY,
        )

    @property
    def target(self) -> str:
        """The path as it was sent, without the query."""
        return self._message.path.partition("?")[0]

    def complete(self) -> None:
        """Note that the last byte of the body has been read."""
        self.completed_at = clock.monotonic()

    def take(self, match: web.UrlMappingMatchInfo) -> None:
        """Say which route the request has come to."""
        self._match_info = match
