"""What every request passes on its way to a handler, and every answer on its way back."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError

from shared.mint import new_request_id
from shared.oauth.errors import InvalidRequest, OAuthError, TemporarilyUnavailable
from shared.store import Unavailable
from shared.web.answers import error_answer, json_answer, wire
from shared.web.app import ERROR_PAGE, PROXIES, REFUSALS, REQUEST_LOG, Handler, Refusal
from shared.web.cors import CROSS_ORIGIN, origin_fields
from shared.web.forwarded import peer_address, request_id_of
from shared.web.log import REQUEST_ID
from shared.web.metrics import observe_request
from shared.web.request import Request

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Route:
    """Where a request goes; `name` is the pattern of its path, never the path that was asked for."""

    match: web.UrlMappingMatchInfo
    handler: Handler
    name: str
    refusal: Refusal | None
    is_cross_origin: bool


def wants_page(request: web.Request) -> bool:
    """Whether a browser is asking for a page, rather than a program for data."""
    return "text/html" in request.headers.get("Accept", "")


class Front:
    """Answers every request of an application, whose routes and settings are complete."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._proxies = app[PROXIES]
        self._log = app.get(REQUEST_LOG)
        self._known = dict(self._plain_routes())

    def _plain_routes(self) -> Iterator[tuple[tuple[str, str], _Route]]:
        """Those whose path is the same for every request, by method and path."""
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
        """The answer as it goes over the wire. Raises nothing."""
        started = time.perf_counter()
        given = request.headers.get("X-Request-Id")
        is_trusted = given is not None and self._proxies.trusts(peer_address(request))
        request_id = request_id_of(given, is_trusted) or new_request_id()
        REQUEST_ID.set(request_id)
        method = request.method
        if (route := self._known.get((method, request.target))) is None:
            route = self._route(await self._app.router.resolve(request))
        request.take(route.match)
        try:
            response = await route.handler(request)
            answer = _wire(request, route, request_id, response)
        except Exception as error:
            response, answer = self._refused(request, route, request_id, error)
        seconds = time.perf_counter() - started
        observe_request(route.name, response.status, seconds)
        if self._log:
            self._log.answered(request_id, method, route.name, response.status, seconds)
        return answer

    def _refused(
        self, request: Request, route: _Route, request_id: str, error: Exception
    ) -> tuple[web.StreamResponse, bytes]:
        try:
            response = self._refusal(request, route, error)
            return response, _wire(request, route, request_id, response)
        except Exception:
            logger.exception("defect", path=request.path)
            response = json_answer({"error": "server_error"}, status=500)
            return response, _wire(request, route, request_id, response)

    def _refusal(self, request: Request, route: _Route, error: Exception) -> web.StreamResponse:
        match error:
            case web.HTTPException(status=status) if status < 400:
                return error
            case web.HTTPException():
                return self._refuse_http(request, error)
            case OAuthError():
                logger.info("refused", error=error.error, detail=error.detail or error.description)
                return self._refuse(request, route, error)
            case Unavailable():
                logger.warning("unavailable", cause=str(error))
                return self._refuse(request, route, TemporarilyUnavailable("try again in a moment"))
        raise error

    def _refuse(self, request: Request, route: _Route, error: OAuthError) -> web.StreamResponse:
        if route.refusal:
            return route.refusal(error)
        if (page := self._app.get(ERROR_PAGE)) and wants_page(request):
            return page(request, error)
        return error_answer(error)

    def _refuse_http(self, request: Request, error: web.HTTPException) -> web.StreamResponse:
        if (page := self._app.get(ERROR_PAGE)) and wants_page(request):
            return page(request, error)
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status, InvalidRequest.error)
        return json_answer({"error": code}, status=error.status, headers=allow)


def _wire(request: Request, route: _Route, request_id: str, response: web.StreamResponse) -> bytes:
    fields = f"X-Request-Id: {request_id}\r\n".encode()
    if route.is_cross_origin:
        fields += origin_fields(request.headers.get("Origin"), request.allowed_origins)
    is_kept, is_head = not request.connection.is_last, request.method == "HEAD"
    return wire(response, fields, request.version, is_kept=is_kept, is_head=is_head)


def refuse_malformed(error: HttpProcessingError) -> bytes:
    """The answer to what is no HTTP/1.1, after which the connection ends."""
    logger.info("http_refused", detail=error.message[:200])
    refused = error_answer(InvalidRequest("this is not a well-formed HTTP/1.1 request"))
    return wire(refused, b"", HttpVersion11, is_kept=False, is_head=False)
