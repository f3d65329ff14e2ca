"""OpenID Connect Session Management 1.0: clients notice that the session of a browser has changed.

A cookie that scripts can read stands for the session and grants nothing. `session_state` derives a value from
it for one client; the iframe that clients embed compares the two, and reveals nothing else.
"""

import hashlib
from html import escape

from aiohttp import web

from shared.browser.cookies import Cookies
from shared.browser.pages.assets import ASSETS
from shared.oauth.client.registered_uri import origin_of
from shared.server.app import SETTINGS

_POLICY = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Session check</title>
<script src="{script}" data-cookie="{cookie}"></script>
"""


def session_state(client_id: str, redirect_uri: str, state: str, salt: str) -> str | None:
    """The `session_state` of a response (§3.2). None: the client has no page that could embed the iframe."""
    if (origin := origin_of(redirect_uri)) is None:
        return None
    text = " ".join((client_id, origin, state, salt))
    return f"{hashlib.sha256(text.encode()).hexdigest()}.{salt}"


async def check_session(request: web.Request) -> web.Response:
    """The OP iframe: §3.3. It is the only page that any site may embed."""
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": _POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    script, cookie = request.app[ASSETS].uri("check_session.js"), str(Cookies.of(request.app[SETTINGS]).state)
    text = _PAGE.format(script=escape(script), cookie=escape(cookie))
    return web.Response(text=text, content_type="text/html", headers=headers)
