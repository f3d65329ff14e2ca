"""The start page of `ostiary run`.

It shows the issuer, the demo credentials as long as they are kept, the applications that users can sign in to
from here (third-party-initiated login), and the presets, each with the command that registers its client.
"""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from services.authorization.pages.sent_mails import mail_folder
from shared.browser.applications import applications
from shared.browser.language import language
from shared.browser.pages import PresetView, StartView
from shared.config.settings import Settings
from shared.oauth.redirect_uri import is_out_of_band
from shared.paths import AUTHORIZATION, SENT_MAILS
from shared.server.app import SETTINGS
from shared.server.pages import PAGES
from shared.server.resources import STORES


async def start(request: web.Request) -> web.Response:
    """Show the page. Everything but the issuer may be missing."""
    pages, settings = request.app[PAGES], request.app[SETTINGS]
    view = replace(
        _of_demo(settings),
        applications=await applications(request.app[STORES].clients, settings.issuer),
        presets=presets(settings),
        mails_href=SENT_MAILS.path if mail_folder(settings) else None,
    )
    return pages.start(view, language(request, pages))


def presets(settings: Settings) -> tuple[PresetView, ...]:
    """The presets, as `ostiary run` has written them. Fails open, to none."""
    try:
        listed = json.loads((settings.data_dir / "presets.json").read_text("utf-8"))
        return tuple(PresetView(**each) for each in listed)
    except (OSError, ValueError, TypeError):
        return ()


def _of_demo(settings: Settings) -> StartView:
    """The issuer, with the demo user and client until their file is deleted."""
    file = settings.data_dir / "demo.json"
    try:
        demo = json.loads(file.read_text("utf-8"))
        try_href = _try_href(demo, settings.origin)
        return StartView(settings.issuer, demo["username"], demo["client_id"], str(file), try_href)
    except (OSError, ValueError, KeyError, TypeError):
        return StartView(settings.issuer)


def _try_href(demo: Any, origin: str) -> str | None:
    """An authorization request of the demo client that ends on a page of this server."""
    for redirect_uri in demo["redirect_uris"]:
        if is_out_of_band(redirect_uri, (origin,)):
            request = {
                "client_id": demo["client_id"],
                "redirect_uri": redirect_uri,
                "response_type": "code",
                "scope": "openid profile email",
            }
            return f"{AUTHORIZATION}?{urlencode(request)}"
    return None
