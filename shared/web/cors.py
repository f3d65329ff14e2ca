"""Cross-origin requests of browser clients: any origin, or those that the client's record names.

Never with credentials, and pages never answer them.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from aiohttp import web
from multidict import CIMultiDict

from shared.paths import Path
from shared.web.headers import ANY_ORIGIN

_PREFLIGHT = {
    **ANY_ORIGIN,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "7200",
}

ALLOWED_ORIGINS = web.RequestKey[tuple[str, ...] | None]("ALLOWED_ORIGINS")
"""Set as soon as the client is known; None: any."""


def allow_origin(headers: CIMultiDict[str], origin: str | None, allowed: Sequence[str] | None) -> None:
    """Say in *headers* whether a page of *origin* may read the answer."""
    if allowed is None:
        headers.update(ANY_ORIGIN)
        return
    headers["Vary"] = "Origin"
    if origin in allowed:
        headers["Access-Control-Allow-Origin"] = str(origin)


def cross_origin(
    paths: Iterable[Path],
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """What lets pages of other origins read every answer of *paths*, refusals too."""
    answered = frozenset(path.path for path in paths)

    async def on_response_prepare(request: web.Request, response: web.StreamResponse) -> None:
        if request.path in answered:
            allow_origin(response.headers, request.headers.get("Origin"), request.get(ALLOWED_ORIGINS))

    return on_response_prepare


async def _preflight(request: web.Request) -> web.Response:
    resource = request.match_info.route.resource
    assert resource is not None
    methods = ", ".join(sorted(route.method for route in resource))
    return web.Response(status=204, headers={**_PREFLIGHT, "Access-Control-Allow-Methods": methods})


def add_preflight(app: web.Application, path: Path) -> None:
    """Answer OPTIONS on a path whose other methods are, or will be, mounted beside it."""
    app.router.add_options(path.path, _preflight)
