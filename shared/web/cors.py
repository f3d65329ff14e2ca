"""Cross-origin requests of browser clients: any origin, without credentials. Pages never answer them."""

from aiohttp import web

from shared.paths import Path
from shared.web.headers import ANY_ORIGIN

_PREFLIGHT = {
    **ANY_ORIGIN,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "7200",
}


async def _preflight(request: web.Request) -> web.Response:
    resource = request.match_info.route.resource
    assert resource is not None
    methods = ", ".join(sorted(route.method for route in resource))
    return web.Response(status=204, headers={**_PREFLIGHT, "Access-Control-Allow-Methods": methods})


def add_preflight(app: web.Application, path: Path) -> None:
    """Answer OPTIONS on a path whose other methods are, or will be, mounted beside it."""
    app.router.add_options(path.path, _preflight)
