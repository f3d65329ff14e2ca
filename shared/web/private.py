"""What only operators reach: readiness beside the service, metrics on a listener of their own."""

from collections.abc import AsyncIterator

from aiohttp import web

from shared.settings import nth_address
from shared.web.app import SETTINGS, Mount
from shared.web.headers import NO_STORE, RETRY_AFTER, SAFE
from shared.web.metrics import show_metrics
from shared.web.resources import KEYRING, WATCH, Resource, need, stores
from shared.web.serve import Listen

SEEN_WITHIN = 5.0  # seconds


def _metrics(listen: Listen) -> Resource:
    async def listener(_: web.Application) -> AsyncIterator[None]:
        private = web.Application()
        private.router.add_get("/metrics", show_metrics)
        runner = web.AppRunner(private, access_log=None)
        await runner.setup()
        await web.SockSite(runner, listen.bind()).start()
        yield
        await runner.cleanup()

    return listener


def _is_ready(app: web.Application, needs_postgresql: bool) -> bool:
    return app[KEYRING].is_ready and (not needs_postgresql or app[WATCH].age < SEEN_WITHIN)


def private(*, needs_postgresql: bool, index: int = 0) -> Mount:
    """Mounts `/readyz`, and opens the metrics listener if there is one.

    Ready: the keys are loaded and PostgreSQL was seen lately; discovery alone needs only the keys.
    *index*: the number of this process among the workers of one service.
    """

    def mount(app: web.Application) -> None:
        async def readyz(request: web.Request) -> web.Response:
            if _is_ready(request.app, needs_postgresql):
                return web.Response(text="ready\n", headers={**SAFE, **NO_STORE})
            return web.Response(text="not ready\n", status=503, headers={**SAFE, **NO_STORE, **RETRY_AFTER})

        need(app, stores)
        app.router.add_get("/readyz", readyz, allow_head=False)
        if address := app[SETTINGS].metrics_listen:
            app.cleanup_ctx.append(_metrics(Listen(nth_address(address, index))))

    return mount
