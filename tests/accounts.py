"""The authorization and accounts services in one process, for tests, and what their pages show."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from html import unescape

from services.accounts.app import mount as mount_accounts
from services.authorization.app import mount as mount_authorization
from shared.config.settings import Settings
from shared.model import User
from shared.oauth.tokens.handle import digest
from shared.paths import ACCOUNT, LOGIN, Path
from shared.server.app import application
from tests.authorization import PASSWORD, AuthorizationService, Browser, Page, is_login
from tests.builders import World
from tests.served import Served

_FORM = re.compile(r"<form[^>]*>.*?</form>", re.DOTALL)


@asynccontextmanager
async def serve_accounts(settings: Settings, world: World) -> AsyncIterator[AuthorizationService]:
    """Both services of a world: users sign in at one and use the other."""
    app = application(settings, mount_authorization, mount_accounts)
    async with Served(app) as server:
        service = AuthorizationService(app, server, world, settings)
        try:
            yield service
        finally:
            for http in service.browsers:
                await http.close()


def here(page: Page) -> str:
    """Where a redirect to this server leads, whatever host its issuer has."""
    return re.sub(r"^http://localhost:8080", "", page.location)


async def visit(browser: Browser, path: str) -> Page:
    """Follow redirects also by the issuer's URIs, which the test's server stands for."""
    return await _follow(browser, await browser.request("GET", path))


async def send(browser: Browser, path: Path, fields: Mapping[str, str]) -> Page:
    """Send a form, and follow its redirects."""
    return await _follow(browser, await browser.request("POST", path.path, data=fields))


async def _follow(browser: Browser, page: Page) -> Page:
    while page.status == 303 and here(page).startswith("/"):
        page = await browser.request("GET", here(page))
    return page


async def log_in(browser: Browser, page: Page, user: User, password: str = PASSWORD) -> Page:
    """Fill in the login page."""
    assert is_login(page), page.text
    fields = {**page.hidden, "username": user.username, "password": password}
    return await send(browser, LOGIN, fields)


async def sign_in(browser: Browser, user: User, page: Path = ACCOUNT) -> Page:
    """Open a page of the account, sign in, and come back to it."""
    return await log_in(browser, await visit(browser, page.path), user)


def form_with(page: Page, text: str) -> dict[str, str]:
    """The hidden fields of the first form whose markup contains *text*."""
    form = next(form for form in _FORM.findall(page.text) if text in form)
    pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
    return {unescape(name): unescape(value) for name, value in pairs}


async def grow_old(service: AuthorizationService, browser: Browser, age: timedelta) -> None:
    """Let the sign-in of the browser's session be *age* older."""
    sessions = service.world.stores.sessions
    key = digest(browser.cookie("session") or "")
    session = await sessions.find(key)
    assert session
    authentication = session.authentication
    old = replace(authentication, auth_time=authentication.auth_time - age)
    assert await sessions.begin(replace(session, authentication=old), key, {})
