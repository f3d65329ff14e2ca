"""The base application: one middleware that every request passes, and the health endpoints."""

import time
from collections.abc import Awaitable, Callable, Collection

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from shared.mint import new_request_id
from shared.oauth.errors import InvalidRequest, OAuthError, TemporarilyUnavailable
from shared.settings import Settings
from shared.store import Unavailable
from shared.web.answers import error_answer, json_answer
from shared.web.cors import ALLOWED_ORIGINS, CROSS_ORIGIN, allow_origin
from shared.web.forwarded import TrustedProxies, peer_address, request_id_of
from shared.web.headers import NO_STORE, SAFE
from shared.web.log import REQUEST_ID, RequestLog
from shared.web.metrics import observe_request

MAX_BODY = 64 * 1024
SERVER = "Ostiary"  # and no versions, which aiohttp would tell

SETTINGS = web.AppKey("SETTINGS", Settings)
PROXIES = web.AppKey("PROXIES", TrustedProxies)

Mount = Callable[[web.Application], None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ErrorPage = Callable[[web.Request, OAuthError | web.HTTPException], web.StreamResponse]
ERROR_PAGE = web.AppKey[ErrorPage]("ERROR_PAGE")
"""How a service that has pages shows an error to a browser. Others answer JSON."""

logger = structlog.get_logger()


def wants_page(request: web.Request) -> bool:
    """Whether a browser is asking for a page, rather than a program for data."""
    return "text/html" in request.headers.get("Accept", "")


def _refusal(request: web.Request, error: OAuthError | web.HTTPException) -> web.StreamResponse:
    if (page := request.app.get(ERROR_PAGE)) and wants_page(request):
        return page(request, error)
    if isinstance(error, OAuthError):
        return error_answer(error)
    allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status, InvalidRequest.error)
    return json_answer({"error": code}, status=error.status, headers=allow)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        return error if error.status < 400 else _refusal(request, error)
    except OAuthError as error:
        logger.info("refused", error=error.error, detail=error.detail or error.description)
        return _refusal(request, error)
    except Unavailable as fault:
        logger.warning("unavailable", cause=str(fault))
        return _refusal(request, TemporarilyUnavailable("try again in a moment"))


def client_address(request: web.Request) -> str:
    """The address of whoever asks, as far as the proxies in between are to be believed."""
    forwarded_for = request.headers.get("X-Forwarded-For")
    return request.app[PROXIES].client_address(peer_address(request), forwarded_for)


async def _answer_or_defect(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await _answer(request, handler)
    except Exception:
        logger.exception("defect", path=request.path)
        return json_answer({"error": "server_error"}, status=500)


def _every_request(
    proxies: TrustedProxies, cross_origin: Collection[str], log: RequestLog | None
) -> Middleware:
    @web.middleware
    async def every_request(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        given = request.headers.get("X-Request-Id")
        is_trusted = given is not None and proxies.trusts(peer_address(request))
        request_id = request_id_of(given, is_trusted) or new_request_id()
        REQUEST_ID.set(request_id)
        response = await _answer_or_defect(request, handler)
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "none"
        headers = response.headers
        headers["X-Request-Id"] = request_id
        headers["Server"] = SERVER
        if route in cross_origin:
            allow_origin(headers, request.headers.get("Origin"), request.get(ALLOWED_ORIGINS))
        seconds = time.perf_counter() - started
        observe_request(route, response.status, seconds)
        if log:
            log.answered(request_id, request.method, route, response.status, seconds)
        return response

    return every_request


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="ok\n", headers={**SAFE, **NO_STORE})


def application(settings: Settings, *mounts: Mount, request_log: RequestLog | None = None) -> web.Application:
    """An application with the services' routes mounted. Shared resources open once, when it starts."""
    proxies = TrustedProxies.of(settings.trusted_proxies)
    cross_origin: set[str] = set()
    every_request = _every_request(proxies, cross_origin, request_log)
    app = web.Application(middlewares=[every_request], client_max_size=MAX_BODY)
    app[SETTINGS] = settings
    app[PROXIES] = proxies
    app[CROSS_ORIGIN] = cross_origin
    app.router.add_get("/healthz", _healthz, allow_head=False)
    for mount in mounts:
        mount(app)
    return app
