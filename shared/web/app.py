"""The base application: one middleware that every request passes, and the health endpoints."""

import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from shared.mint import new_request_id
from shared.oauth.errors import InvalidRequest, OAuthError, TemporarilyUnavailable
from shared.settings import Settings
from shared.store import Unavailable
from shared.web.answers import error_answer, json_answer
from shared.web.forwarded import TrustedProxies, peer_address, request_id
from shared.web.headers import NO_STORE, SAFE
from shared.web.log import RequestLog
from shared.web.metrics import observe_request

MAX_BODY = 64 * 1024
SERVER = "Ostiary"  # and no versions, which aiohttp would tell

SETTINGS = web.AppKey("SETTINGS", Settings)
PROXIES = web.AppKey("PROXIES", TrustedProxies)
REQUEST_LOG = web.AppKey[RequestLog | None]("REQUEST_LOG")
CLIENT_ADDRESS = web.RequestKey("CLIENT_ADDRESS", str)
REQUEST_ID = web.RequestKey("REQUEST_ID", str)

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


@web.middleware
async def _every_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    started = time.perf_counter()
    proxies, peer = request.app[PROXIES], peer_address(request)
    given = request.headers
    request[REQUEST_ID] = request_id(given.get("X-Request-Id"), proxies.trusts(peer), new_request_id())
    request[CLIENT_ADDRESS] = proxies.client_address(peer, given.get("X-Forwarded-For"))
    structlog.contextvars.bind_contextvars(request_id=request[REQUEST_ID])
    try:
        response = await _answer(request, handler)
    except Exception:
        logger.exception("defect", path=request.path)
        response = json_answer({"error": "server_error"}, status=500)
    response.headers["X-Request-Id"] = request[REQUEST_ID]
    response.headers["Server"] = SERVER
    seconds = time.perf_counter() - started
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "none"
    observe_request(route, response.status, seconds)
    if log := request.app[REQUEST_LOG]:
        log.answered(request[REQUEST_ID], request.method, route, response.status, seconds)
    return response


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="ok\n", headers={**SAFE, **NO_STORE})


def application(settings: Settings, *mounts: Mount, request_log: RequestLog | None = None) -> web.Application:
    """An application with the services' routes mounted. Shared resources open once, when it starts."""
    app = web.Application(middlewares=[_every_request], client_max_size=MAX_BODY)
    app[SETTINGS] = settings
    app[REQUEST_LOG] = request_log
    app[PROXIES] = TrustedProxies.of(settings.trusted_proxies)
    app.router.add_get("/healthz", _healthz, allow_head=False)
    for mount in mounts:
        mount(app)
    return app
