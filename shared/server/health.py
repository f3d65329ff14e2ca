"""Health: `/readyz` beside the service, and `/metrics` on a listener for operators."""

from collections.abc import AsyncIterator

from aiohttp import web

from shared.config.environment import nth_address
from shared.server.app import READINESS, SETTINGS, Mount
from shared.server.metrics import show_metrics
from shared.server.resources import WATCH, Resource, need, stores
from shared.server.serve import Listen

SEEN_WITHIN = 5.0  # seconds


def _metrics(listen: Listen) -> Resource:
    async def listener(_: web.Application) -> AsyncIterator[None]:
        metrics = web.Application()
        metrics.router.add_get("/metrics", show_metrics)
        runner = web.AppRunner(metrics, access_log=None)
        await runner.setup()
        await web.SockSite(runner, listen.bind()).start()
        yield
        await runner.cleanup()

    return listener


async def _readyz(request: web.Request) -> web.Response:
    return request.app[READINESS].answer()


def health(*, needs_postgresql: bool, index: int = 0) -> Mount:
    """A mount that adds `/readyz`, and opens the metrics listener if one is configured.

    *needs_postgresql*: whether PostgreSQL must have answered recently; discovery works without it. *index*:
    the number of this process among the workers of one service.
    """

    def mount(app: web.Application) -> None:
        need(app, stores)
        if needs_postgresql:
            app[READINESS].add("postgresql", lambda: app[WATCH].silence(SEEN_WITHIN))
        app.router.add_get("/readyz", _readyz)
        if address := app[SETTINGS].metrics_listen:
            app.cleanup_ctx.append(_metrics(Listen(nth_address(address, index))))

    return mount
