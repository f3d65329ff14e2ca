"""Cross-origin requests of browser clients: any origin, or those that the client's record names.

Never with credentials, and pages never answer them.
"""

from collections.abc import Iterable, Sequence

from aiohttp import web
from multidict import CIMultiDict

from shared.paths import Path
from shared.web.headers import ANY_ORIGIN

_PREFLIGHT = {
    **ANY_ORIGIN,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "7200",
}

ALLOWED_ORIGINS = web.RequestKey[tuple[str, ...]]("ALLOWED_ORIGINS")
CROSS_ORIGIN = web.AppKey[set[str]]("CROSS_ORIGIN")
"""The paths whose answers pages of other origins may read."""


def allow_origin(headers: CIMultiDict[str], origin: str | None, allowed: Sequence[str] | None) -> None:
    """Say in *headers* whether a page of *origin* may read the answer."""
    if allowed is None:
        headers.update(ANY_ORIGIN)
        return
    headers["Vary"] = "Origin"
    if origin is not None and origin in allowed:
        headers["Access-Control-Allow-Origin"] = origin


def note_origins(request: web.Request, allowed: tuple[str, ...] | None) -> None:
    """Say which origins' pages may read the answer, as soon as the client is known; None: any."""
    if allowed is not None:
        request[ALLOWED_ORIGINS] = allowed


def cross_origin(app: web.Application, paths: Iterable[Path]) -> None:
    """Let pages of other origins read every answer of *paths*, refusals too."""
    app[CROSS_ORIGIN].update(path.path for path in paths)


async def _preflight(request: web.Request) -> web.Response:
    resource = request.match_info.route.resource
    assert resource is not None
    methods = ", ".join(sorted(route.method for route in resource))
    return web.Response(status=204, headers={**_PREFLIGHT, "Access-Control-Allow-Methods": methods})


def add_preflight(app: web.Application, path: Path) -> None:
    """Answer OPTIONS on a path whose other methods are, or will be, mounted beside it."""
    app.router.add_options(path.path, _preflight)
