"""Cross-origin requests of browser clients, from any origin or from those in the client's record.

Credentials are never allowed, and pages never allow cross-origin requests.
"""

import re
from collections.abc import Iterable, Sequence

from aiohttp import web

from shared.paths import Path
from shared.web.answers import Head, PreparedResponse
from shared.web.headers import SAFE

_ANY = b"Access-Control-Allow-Origin: *\r\n"
_VARY = b"Vary: Origin\r\n"
_PREFLIGHT = Head(
    SAFE,
    {
        "Access-Control-Max-Age": "7200",
        "Vary": "Access-Control-Request-Headers",
    },
)
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIELD_NAMES = re.compile(rf"{_TOKEN}(?:[ \t]*,[ \t]*{_TOKEN})*", re.ASCII)  # RFC 9110 §5.6

CROSS_ORIGIN = web.AppKey[set[str]]("CROSS_ORIGIN")
"""The paths whose responses pages of other origins may read."""


def origin_fields(origin: str | None, allowed: Sequence[str] | None) -> bytes:
    """The header fields that say whether a page of *origin* may read the response."""
    if allowed is None:
        return _ANY
    if origin is None or origin not in allowed:
        return _VARY
    return f"Access-Control-Allow-Origin: {origin}\r\n".encode() + _VARY


async def _preflight(request: web.Request) -> web.Response:
    """Answer a preflight.

    Every header field is allowed: none is a credential that browsers add themselves.
    """
    resource = request.match_info.route.resource
    resources = (
        each for each in request.app.router.resources() if resource and each.canonical == resource.canonical
    )
    methods = ", ".join(sorted({route.method for each in resources for route in each}))
    field_names = request.headers.get("Access-Control-Request-Headers", "")
    allowed = {"Access-Control-Allow-Headers": field_names} if _FIELD_NAMES.fullmatch(field_names) else {}
    headers = {"Access-Control-Allow-Methods": methods, **allowed}
    return PreparedResponse(b"", _PREFLIGHT, status=204, headers=headers)


def cross_origin(app: web.Application, paths: Iterable[Path]) -> None:
    """Let pages of other origins request *paths* and read every response, including errors."""
    for path in paths:
        app[CROSS_ORIGIN].add(path.path)
        app.router.add_options(path.path, _preflight)
