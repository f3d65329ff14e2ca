"""A client's connection: HTTP/1.1 requests, answered in their order, each in one write.

They are read by aiohttp's parser, and handlers get aiohttp's requests. What aiohttp does between the two is
made for every kind of application, and costs as much CPU time as half of our answers.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import HttpVersion10, web
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader

from shared.web.request import Connected, Request

QUIET_TIMEOUT = 75.0  # seconds between an answer and the next request's head; proxies give up before
LINGER_TIMEOUT = 10.0  # seconds for the rest of a body that was answered before it was there
MAX_WAITING = 32  # pipelined requests
_BUFFER = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

logger = structlog.get_logger()

Answering = Callable[[Request], Awaitable[bytes]]
"""Answers a request with the bytes that go over the wire."""

Refusing = Callable[[HttpProcessingError], bytes]
"""Answers what is no HTTP."""


class Connection(Connected):
    """One of the connections that *open_ones* holds, from its first byte to its last."""

    def __init__(
        self,
        answer: Answering,
        refuse: Refusing,
        open_ones: set["Connection"],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._parsing = HttpRequestParser(
            self,
            loop,
            _BUFFER,
            payload_exception=web.RequestPayloadError,
            auto_decompress=False,  # an encoded body is refused, not decoded
            max_msg_queue_size=MAX_WAITING,
        )
        super().__init__(loop, self._parsing)
        self._answer = answer
        self._refuse = refuse
        self._open_ones = open_ones
        self._waiting: deque[tuple[RawRequestMessage, StreamReader]] = deque()
        self._malformed: HttpProcessingError | None = None
        self._answering: asyncio.Task[None] | None = None
        self._body: StreamReader | None = None
        self._quiet_since = loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.peername = transport.get_extra_info("peername")
        self.sockname = transport.get_extra_info("sockname")
        self._open_ones.add(self)
        self._watching = self._loop.call_later(QUIET_TIMEOUT, self._watch)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._open_ones.discard(self)
        self._watching.cancel()
        self._waiting.clear()
        self._end_body(ConnectionResetError("the connection was closed"))

    def data_received(self, data: bytes) -> None:
        if self._malformed or (self.is_last and self._answering is None):
            return
        try:
            requests, _, _ = self._parsing.feed_data(data)
            self._waiting.extend(requests)
        except HttpProcessingError as error:
            self._malformed = error
            self._end_body(web.RequestPayloadError(error.message))
        if self._answering is None:
            self._proceed()
        if self._waiting and not self._buffer_paused:
            self._pause_reading_for_buffer()

    def resume_reading(self, resume_parser: bool = True) -> None:
        if self._reading_paused:  # aiohttp parses nothing once more otherwise, at each read of a body
            super().resume_reading(resume_parser)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._answering is None:
            self._proceed()

    def _end_body(self, fault: Exception) -> None:
        if self._body is not None and not self._body.is_eof():
            self._body.set_exception(fault)

    def _proceed(self) -> None:
        """Turn to the next request, if the client reads the answers to those before."""
        if self.transport is None:
            return
        if self.is_last:
            self.transport.close()
        elif self._paused:
            return
        elif self._waiting:
            message, body = self._waiting.popleft()
            self._parsing.message_consumed()
            try:
                request = Request(message, body, self, self._loop)
            except ValueError:  # an absolute target, whose host can be none
                self._refuse_malformed(self.transport, BadHttpMessage("malformed target"))
                return
            self._answering = self._loop.create_task(self._exchange(request, message, body))
            if self._buffer_paused and not self._waiting:  # its body may not have arrived yet
                self._resume_reading_for_buffer()
                self.data_received(b"")  # what the parser has held back
        elif self._malformed:
            self._refuse_malformed(self.transport, self._malformed)

    def _refuse_malformed(self, transport: asyncio.Transport, error: HttpProcessingError) -> None:
        """Whoever still sends when the connection is closed has it reset, and may never see the answer."""
        self.is_last = True
        transport.write(self._refuse(error))
        transport.write_eof()
        self._watching.cancel()
        self._watching = self._loop.call_later(LINGER_TIMEOUT, transport.abort)

    async def _exchange(self, request: Request, message: RawRequestMessage, body: StreamReader) -> None:
        self._body = body
        self.is_last |= message.should_close or message.upgrade  # to nothing: as if it had not asked
        if "Expect" in message.headers:
            self._expect(message)
        try:
            answer = await self._answer(request)
            if self.transport is not None:
                self.transport.write(answer)
                if not body.is_eof():
                    await self._linger(body)
        except Exception:
            logger.exception("defect")
            self.is_last = True
        self._body = None
        self._answering = None
        self._quiet_since = self._loop.time()
        self._proceed()

    def _expect(self, message: RawRequestMessage) -> None:
        """RFC 9110 §10.1.1. What else is expected is not known, and may be ignored."""
        is_told = message.headers["Expect"].lower() == "100-continue" and message.version != HttpVersion10
        if is_told and self.transport is not None:
            self.transport.write(_CONTINUE)

    async def _linger(self, body: StreamReader) -> None:
        """Read what is left of a body, for the same reason."""
        try:
            async with asyncio.timeout(LINGER_TIMEOUT):
                while not body.is_eof():
                    await body.readany()
        except (TimeoutError, OSError, web.RequestPayloadError):
            self.is_last = True

    def _watch(self) -> None:
        """Close a connection that has been quiet for too long, at the second time by force."""
        left = self._quiet_since + QUIET_TIMEOUT - self._loop.time()
        if self._answering is None and left <= 0 and self.transport is not None:
            if self.is_last:
                self.transport.abort()
                return
            self.close()
        self._watching = self._loop.call_later(max(left, LINGER_TIMEOUT), self._watch)

    def close(self) -> None:
        """Close as soon as what is being answered is answered."""
        self.is_last = True
        if self._answering is None:
            self._waiting.clear()
            if self.transport is not None:
                self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._answering is not None:
            self._answering.cancel()
        if self.transport is not None:
            self.transport.abort()

    async def finished(self) -> None:
        """Wait until what is being answered is answered."""
        if self._answering is not None:
            await asyncio.wait([self._answering])
