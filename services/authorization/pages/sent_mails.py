"""The page of `ostiary run` that shows the mails which no mail server gets."""

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from shared.browser.language import language
from shared.browser.pages import SentMailView
from shared.browser.pages.ago import Ago
from shared.config.loopback import is_loopback
from shared.config.mail_address import MailFolder
from shared.config.settings import Settings
from shared.live import clock
from shared.server.app import SETTINGS
from shared.server.pages import PAGES

MOST_SHOWN = 50


async def show_sent_mails(request: web.Request) -> web.Response:
    """Show the page. Raises HTTPNotFound where there is none."""
    pages, settings = request.app[PAGES], request.app[SETTINGS]
    return pages.sent_mails(await asyncio.to_thread(sent_mails, settings), language(request, pages))


def mail_folder(settings: Settings) -> Path | None:
    """The folder of mails, if only this machine reaches the page: whoever does can use every link in them."""
    server = settings.mail_server
    is_local = is_loopback(urlsplit(settings.issuer).hostname or "")
    return server.path if isinstance(server, MailFolder) and is_local else None


def sent_mails(settings: Settings) -> tuple[SentMailView, ...]:
    """The latest mails, the newest first. Raises HTTPNotFound where there is no page for them."""
    folder = mail_folder(settings)
    if folder is None:
        raise web.HTTPNotFound
    files = [(file.stat().st_mtime_ns, file) for file in folder.glob("*.eml")]
    return tuple(_shown(file) for _, file in sorted(files, reverse=True)[:MOST_SHOWN])


def _shown(file: Path) -> SentMailView:
    message = message_from_bytes(file.read_bytes(), EmailMessage, policy=default)
    body = message.get_body(("plain",))
    text: str = body.get_content() if body else ""
    at = message["Date"].datetime
    return SentMailView(message["Subject"], message["To"], Ago.of(at, clock.now()), tuple(text.splitlines()))
