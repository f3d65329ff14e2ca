"""Cross-origin answers, refusals too: any origin, or those that the client's record names; no credentials."""

from collections.abc import Sequence

from aiohttp import web
from multidict import CIMultiDict

from shared.paths import REVOCATION, TOKEN, USERINFO
from shared.web.headers import ANY_ORIGIN

CROSS_ORIGIN = (TOKEN, REVOCATION, USERINFO)
ALLOWED_ORIGINS = web.RequestKey[tuple[str, ...] | None]("ALLOWED_ORIGINS")
"""Set as soon as the client is known; None: any."""

_PATHS = frozenset(path.path for path in CROSS_ORIGIN)


def allow_origin(headers: CIMultiDict[str], origin: str | None, allowed: Sequence[str] | None) -> None:
    """Say in *headers* whether a page of *origin* may read the answer."""
    if allowed is None:
        headers.update(ANY_ORIGIN)
        return
    headers["Vary"] = "Origin"
    if origin in allowed:
        headers["Access-Control-Allow-Origin"] = str(origin)


async def on_response_prepare(request: web.Request, response: web.StreamResponse) -> None:
    if request.path in _PATHS:
        allow_origin(response.headers, request.headers.get("Origin"), request.get(ALLOWED_ORIGINS))
