"""Serves an application through aiohttp's low-level server.

aiohttp reads requests, keeps their order and closes idle connections. Each response is written at once, as
the dispatcher made it. An application with middlewares, `on_response_prepare` or sub-applications is rejected
at start, because these would have no effect.
"""

import asyncio

from aiohttp import HttpVersion10, StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage

from shared.server.http.connection import HttpConnection, WrittenResponse, drain
from shared.server.http.deadlines import Deadlines
from shared.server.http.dispatch import HttpDispatcher
from shared.server.http.lateness import Lateness
from shared.web.request import UNREADABLE, Request, unreadable

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_KEPT, _LAST = WrittenResponse(is_kept=True), WrittenResponse(is_kept=False)


class UnsupportedApplicationError(Exception):
    """The application has a feature that this server would ignore. The message names it."""


def _check(app: web.Application) -> None:
    if app.middlewares:
        raise UnsupportedApplicationError("middlewares are not called: wrap the handlers")
    if app.on_response_prepare:
        raise UnsupportedApplicationError("on_response_prepare is not sent: set header fields in handlers")
    if any(isinstance(resource, web.PrefixedSubAppResource) for resource in app.router.resources()):
        raise UnsupportedApplicationError("sub-applications are not supported: mount their routes")


class HttpServer(web.Server):
    """The connections of a process, and the application that answers their requests."""

    def __init__(self, app: web.Application) -> None:
        self._event_loop = asyncio.get_running_loop()
        self._lateness = Lateness(self._event_loop)
        self._deadlines = Deadlines(self._event_loop)
        self._dispatcher = HttpDispatcher(app, self._lateness, self._deadlines)
        super().__init__(self._answer, request_factory=self._request)

    def __call__(self) -> HttpConnection:
        self._lateness.is_late()  # this connection, and others behind it, may have waited
        return HttpConnection(self, self._event_loop)

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> Request:
        try:
            return Request(message, payload, protocol, writer, task, self._event_loop)
        except ValueError:  # an absolute request target with an invalid host
            return Request(unreadable(message), payload, protocol, writer, task, self._event_loop)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, Request)
        if request.method == UNREADABLE:
            return request.protocol.handle_error(request, 400, BadHttpMessage("malformed target"))
        if "Expect" in request.headers:
            _expect(request)
        answer = await self._dispatcher.answer(request)
        if request.transport is not None:
            request.transport.write(answer)
            if request.protocol.writing_paused:
                await drain(request)
        return _LAST if request.is_last else _KEPT

    def drain(self) -> None:
        """Make each response close its connection; new connections are still served."""
        self._dispatcher.is_closing = True

    def pre_shutdown(self) -> None:
        """Close idle connections, and the others after their response."""
        self.drain()
        super().pre_shutdown()

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  # aiohttp's signature
        """Wait *timeout* seconds for running requests, then cancel them."""
        await super().shutdown(timeout)
        self._lateness.stop()
        self._deadlines.stop()


def _expect(request: Request) -> None:
    """Answer `Expect: 100-continue` (RFC 9110 §10.1.1). Other expectations are ignored."""
    is_told = request.headers["Expect"].lower() == "100-continue" and request.version != HttpVersion10
    if is_told and request.transport is not None:
        request.transport.write(_CONTINUE)


class Runner(web.ServerRunner):
    """Starts an application, serves it, and cleans up after it."""

    def __init__(self, app: web.Application, *, shutdown_timeout: float = 60.0) -> None:
        self._served = HttpServer(app)
        super().__init__(self._served, shutdown_timeout=shutdown_timeout)
        self._app = app

    async def setup(self) -> None:
        """Raises UnsupportedApplicationError."""
        for hooks in (self._app.middlewares, self._app.on_response_prepare, self._app.on_startup):
            hooks.freeze()
        _check(self._app)
        await self._app.startup()
        self._app.freeze()
        await super().setup()

    def drain(self) -> None:
        """Make each response close its connection."""
        self._served.drain()

    async def shutdown(self) -> None:
        await self._app.shutdown()

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._app.cleanup()
