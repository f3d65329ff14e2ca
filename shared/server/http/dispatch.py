"""Dispatch: from a request to its handler, and from the handler's response to bytes."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from aiohttp import web

from shared.live.randomness import new_request_id
from shared.oauth.errors import InvalidRequest, OAuthError, TemporarilyUnavailable
from shared.server.app import ERROR_PAGE, REFUSALS, REQUEST_LOG, ErrorRenderer, Handler
from shared.server.http.deadlines import Deadlines
from shared.server.http.lateness import Lateness
from shared.server.http.refusals import HeaderFieldsTooLarge, defect
from shared.server.log.configuration import REQUEST_ID
from shared.server.log.refusal import log_refusal
from shared.server.metrics import observe_request
from shared.server.traces.recorder import TRACES
from shared.store import Unavailable
from shared.web.answers import error_answer, json_answer, wire
from shared.web.cors import CROSS_ORIGIN, origin_fields
from shared.web.forwarded import PROXIES, peer_address, request_id_of
from shared.web.request import MAX_FIELDS, Request
from shared.web.request_age import MAX_AGE, REQUEST_START, request_age

_HTTP_ERRORS = {404: "not_found", 405: "method_not_allowed"}
"""Errors of requests that match no endpoint. Only the request log records them."""

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Route:
    """The destination of a request. `name` is the pattern of the path, never the requested path itself."""

    match: web.UrlMappingMatchInfo
    handler: Handler
    name: str
    render_error: ErrorRenderer | None
    is_cross_origin: bool


def wants_page(request: web.Request) -> bool:
    """Whether the request comes from a browser that wants a page, not from a program that wants data."""
    return "text/html" in request.headers.get("Accept", "")


class HttpDispatcher:
    """Answers the requests of an application, whose routes and settings are complete."""

    is_closing = False  # set while the server stops: each response closes its connection

    def __init__(self, app: web.Application, lateness: Lateness, deadlines: Deadlines) -> None:
        self._app = app
        self._lateness = lateness
        self._deadlines = deadlines
        self._proxies = app[PROXIES]
        self._log = app.get(REQUEST_LOG)
        self._traces = app.get(TRACES)
        self._known = dict(self._plain_routes())

    def _plain_routes(self) -> Iterator[tuple[tuple[str, str], _Route]]:
        """The routes without path parameters, by method and path."""
        for route in self._app.router.routes():
            if isinstance(route.resource, web.PlainResource):
                match = web.UrlMappingMatchInfo({}, route)
                yield (route.method, route.resource.canonical), self._route(match)

    def _route(self, match: web.UrlMappingMatchInfo) -> _Route:
        match.add_app(self._app)
        resource = match.route.resource
        name = resource.canonical if resource else "none"
        is_cross_origin = name in self._app[CROSS_ORIGIN]
        return _Route(match, match.handler, name, self._app[REFUSALS].get(name), is_cross_origin)

    async def answer(self, request: Request) -> bytes:
        """The response as bytes for the wire. Raises nothing but its own cancellation."""
        try:
            return await self._answer(request)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
        except Exception:
            _report(request)
        request.is_last = True
        return defect()

    async def _answer(self, request: Request) -> bytes:
        started = time.perf_counter()
        request_id = request_id_of(self._of_proxy(request, "X-Request-Id"))
        trace = None
        if self._traces and (trace := self._traces.begin(self._of_proxy(request, "traceparent"), request_id)):
            request_id = request_id or trace.trace_id
        request_id = request_id or new_request_id()
        REQUEST_ID.set(request_id)
        method = request.method
        if (route := self._known.get((method, request.target))) is None:
            route = self._route(await self._app.router.resolve(request))
        request.route_match = route.match
        try:
            response = await self._respond(request, route)
            answer = self._wire(request, route, request_id, response)
        except Exception as error:
            response, answer = self._refused(request, route, request_id, error)
        seconds = time.perf_counter() - started
        observe_request(route.name, response.status, seconds)
        if self._log:
            self._log.answered(request_id, method, route.name, response.status, seconds)
        if self._traces and trace:
            self._traces.end(trace, request_id, method, route.name, response.status)
        return answer

    def _of_proxy(self, request: Request, name: str) -> str | None:
        """A header, if the peer may set it."""
        header = request.headers.get(name)
        return header if header is not None and self._proxies.trusts(peer_address(request)) else None

    async def _respond(self, request: Request, route: _Route) -> web.StreamResponse:
        """Call the handler. Raises Unavailable if the request is too old, or the response takes too long."""
        if self._lateness.is_late():
            request.is_last = True
            raise Unavailable("the event loop was late: the request may be older than it looks")
        if sum([len(name) + len(value) + 4 for name, value in request.raw_headers]) > MAX_FIELDS:
            raise HeaderFieldsTooLarge
        left = MAX_AGE
        if REQUEST_START in request.headers and (left := MAX_AGE - request_age(request)) <= timedelta():
            raise Unavailable(f"the request is {MAX_AGE - left} old, or the proxy's clock differs")
        return await self._deadlines.keep(route.handler(request), request.read_at + left.total_seconds())

    def _refused(
        self, request: Request, route: _Route, request_id: str, error: Exception
    ) -> tuple[web.StreamResponse, bytes]:
        try:
            response = self._refusal(request, route, error)
            return response, self._wire(request, route, request_id, response)
        except Exception:
            logger.exception("defect", path=request.path)
            response = json_answer({"error": "server_error"}, status=500)
            return response, self._wire(request, route, request_id, response)

    def _refusal(self, request: Request, route: _Route, error: Exception) -> web.StreamResponse:
        match error:
            case web.HTTPException(status=status) if status < 400:
                return error
            case web.HTTPException():
                return self._refuse_http(request, error)
            case OAuthError():
                log_refusal(request, error)
                return self._refuse(request, route, error)
            case Unavailable():
                logger.warning("unavailable", cause=str(error))
                return self._refuse(request, route, TemporarilyUnavailable("try again in a moment"))
        raise error

    def _refuse(self, request: Request, route: _Route, error: OAuthError) -> web.StreamResponse:
        if route.render_error:
            return route.render_error(request, error)
        if (page := self._app.get(ERROR_PAGE)) and wants_page(request):
            return page(request, error)
        return error_answer(error)

    def _refuse_http(self, request: Request, error: web.HTTPException) -> web.StreamResponse:
        if error.status not in _HTTP_ERRORS:
            log_refusal(request, InvalidRequest(error.reason))
        if (page := self._app.get(ERROR_PAGE)) and wants_page(request):
            return page(request, error)
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        code = _HTTP_ERRORS.get(error.status, InvalidRequest.error)
        return json_answer({"error": code}, status=error.status, headers=allow)

    def _wire(self, request: Request, route: _Route, request_id: str, response: web.StreamResponse) -> bytes:
        fields = f"X-Request-Id: {request_id}\r\n".encode()
        if route.is_cross_origin:
            fields += origin_fields(request.headers.get("Origin"), request.allowed_origins)
        # Requests that the client sent behind this one are unread in the buffer, and would be as old.
        request.is_last |= self.is_closing or self._lateness.last_noticed >= request.read_at
        is_head = request.method == "HEAD"
        return wire(response, fields, request.version, is_kept=not request.is_last, is_head=is_head)


def _report(request: Request) -> None:
    with suppress(Exception):  # the client gets its response even if the line cannot be logged
        logger.exception("defect", path=request.path)
