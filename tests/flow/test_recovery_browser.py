"""A forgotten password in Chromium, without script and by keyboard alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, expect

from services.accounts.app import mount as mount_accounts
from services.authorization.app import mount as mount_authorization
from services.worker.app import mount as mount_worker
from shared.identity.passwords import hash_password
from shared.live.randomness import new_id
from shared.model import User
from shared.paths import ACCOUNT, SENT_MAILS
from shared.server.app import application
from shared.server.http.server import Runner
from tests.deployment import open_world, settings_for
from tests.flow.test_sign_in_browser import PASSWORD, free_socket, served

NEW_PASSWORD = "four words nobody guesses"
HANG_GUARD = 30  # seconds


@pytest.fixture
async def origin(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """The origin of a deployment that writes its mails into a folder, with the user ada."""
    listening = free_socket()
    origin = f"http://localhost:{listening.getsockname()[1]}"
    settings = settings_for(
        database_url,
        redis_url,
        issuer=f"{origin}/oidc",
        root_aliases="on",
        rate_limits="off",
        smtp_url=(tmp_path / "mail").as_uri(),
    )
    user = User(user_id=new_id(), username="ada", claims={"email": "ada@example.org"})
    async with open_world(settings) as world:
        await world.stores.users.add(user, hash_password(PASSWORD))
        app: web.Application = application(settings, mount_authorization, mount_accounts, mount_worker)
        async with served(Runner(app), listening):
            yield origin


@pytest.fixture
async def contexts(browser: Browser) -> tuple[BrowserContext, BrowserContext]:
    """Two browsers without script."""
    return (
        await browser.new_context(java_script_enabled=False),
        await browser.new_context(java_script_enabled=False),
    )


async def mailed_link(page: Page, origin: str) -> str:
    """The link in the mail, as soon as it is shown."""
    async with asyncio.timeout(HANG_GUARD):
        while True:
            await page.goto(f"{origin}{SENT_MAILS}")
            links = page.locator('a[href*="link="]')
            if await links.count():
                return await links.first.get_attribute("href") or ""
            await asyncio.sleep(0.1)


async def test_a_forgotten_password_is_replaced_without_script(
    contexts: tuple[BrowserContext, BrowserContext], origin: str
) -> None:
    """From the sign-in page by keyboard to the mail, whose link a scanner has opened before, and back in."""
    own, scanner = contexts
    page = await own.new_page()
    await page.goto(f"{origin}{ACCOUNT}")
    await page.locator("#forgotten").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Forgot your password?")
    await page.keyboard.type("ada")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Check your email")
    link = f"{origin}{await mailed_link(page, origin)}"
    opened = await scanner.new_page()
    await opened.goto(link)
    await expect(opened.get_by_role("note")).to_contain_text("another browser")
    await page.goto(link)
    await expect(page.get_by_role("note")).to_have_count(0)
    await page.keyboard.type(NEW_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Your password has been changed")
    await page.click("#recovered-sign-in")
    await page.fill("#username", "ada")
    await page.fill("#password", NEW_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("ada")
    await opened.reload()
    await expect(opened.locator("h1")).to_have_text("Something went wrong")
