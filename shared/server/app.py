"""The base application: what its services share, and the health endpoint."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from aiohttp import web

from shared.config.settings import Settings
from shared.live.background import Background
from shared.oauth.errors import OAuthError
from shared.paths import Path
from shared.server.computed_metrics import show_readiness
from shared.server.log.request_log import RequestLog
from shared.server.metrics import observe_round
from shared.server.readiness import Readiness
from shared.server.traces.recorder import TRACES, Recorder
from shared.web.answers import Head, PreparedResponse
from shared.web.cors import CROSS_ORIGIN
from shared.web.forwarded import PROXIES, TrustedProxies

SETTINGS = web.AppKey("SETTINGS", Settings)
REQUEST_LOG = web.AppKey("REQUEST_LOG", RequestLog)
BACKGROUND = web.AppKey("BACKGROUND", Background)
READINESS = web.AppKey("READINESS", Readiness)

Mount = Callable[[web.Application], None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ErrorRenderer = Callable[[web.Request, OAuthError], web.Response]
"""Renders a protocol error. It gets the request for headers that depend on it."""
REFUSALS = web.AppKey[dict[str, ErrorRenderer]]("REFUSALS")
"""The paths that render protocol errors in their own way, with the renderer of each."""

ErrorPage = Callable[[web.Request, OAuthError | web.HTTPException], web.StreamResponse]
ERROR_PAGE = web.AppKey[ErrorPage]("ERROR_PAGE")
"""How a service with pages shows an error to a browser. Services without pages answer JSON."""

_TEXT = Head.of_private("text/plain; charset=utf-8")


def refuse_with(app: web.Application, render: ErrorRenderer, paths: Iterable[Path]) -> None:
    """Render the protocol errors of *paths* with *render*."""
    app[REFUSALS].update((path.path, render) for path in paths)


async def _exporting(app: web.Application) -> AsyncIterator[None]:
    async with app[TRACES].exporting(app[BACKGROUND]):
        yield


async def _healthz(_: web.Request) -> web.Response:
    return PreparedResponse(b"ok\n", _TEXT)


def application(
    settings: Settings, *mounts: Mount, request_log: RequestLog | None = None, name: str = "all"
) -> web.Application:
    """An application with the routes of the services. Shared resources are opened when it starts.

    *name*: of the service, for traces.
    """
    app = web.Application()
    app[SETTINGS] = settings
    app[PROXIES] = TrustedProxies.of(settings.trusted_proxies)
    app[BACKGROUND] = background = Background(observe_round)
    app[READINESS] = readiness = Readiness()
    show_readiness(readiness.results)
    readiness.add("background", lambda: ", ".join(background.stalled()) or None)
    app[CROSS_ORIGIN] = set()
    app[REFUSALS] = {}
    if request_log:
        app[REQUEST_LOG] = request_log
    if settings.traces_endpoint:
        app[TRACES] = Recorder(settings.traces_endpoint, settings.traces_sample, name)
        app.cleanup_ctx.append(_exporting)
    app.router.add_get("/healthz", _healthz)
    for mount in mounts:
        mount(app)
    return app
