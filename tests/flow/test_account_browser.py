"""The account pages in Chromium, with a phone that keeps passkeys."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from services.accounts.app import mount as mount_accounts
from services.authorization.app import mount as mount_authorization
from shared.identity.passwords import hash_password
from shared.live.randomness import new_id
from shared.model import User
from shared.paths import ACCOUNT, LOGOUT
from shared.server.app import application
from shared.server.http.server import Runner
from tests.deployment import open_world, settings_for
from tests.flow.test_sign_in_browser import PASSWORD, free_socket, served
from tests.passkeys import a_phone


@dataclass(frozen=True, slots=True)
class Account:
    """Where the account pages are, and whose they are."""

    origin: str
    user: User

    async def sign_in(self, page: Page) -> None:
        await page.goto(f"{self.origin}{ACCOUNT}")
        await page.fill("#username", self.user.username)
        await page.fill("#password", PASSWORD)
        await page.click("#login-submit")

    async def sign_out(self, page: Page) -> None:
        await page.goto(f"{self.origin}{LOGOUT}")
        await page.click("#logout-confirm")
        await expect(page.locator("h1")).to_have_text("You are signed out")


@pytest.fixture
async def account(database_url: str, redis_url: str) -> AsyncIterator[Account]:
    """A user of both services."""
    listening = free_socket()
    origin = f"http://localhost:{listening.getsockname()[1]}"
    settings = settings_for(database_url, redis_url, issuer=f"{origin}/oidc", rate_limits="off")
    user = User(user_id=new_id(), username="ada")
    async with open_world(settings) as world:
        await world.stores.users.add(user, hash_password(PASSWORD))
        app: web.Application = application(settings, mount_authorization, mount_accounts)
        async with served(Runner(app), listening):
            yield Account(origin, user)


@pytest.fixture
async def page(browser: Browser) -> Page:
    """A page without cookies."""
    return await browser.new_page()


async def test_a_person_adds_a_passkey_and_signs_in_with_it(page: Page, account: Account) -> None:
    """Sign in with a password, add a passkey, see it, sign out, sign in with it, and remove it.

    The phone then forgets it, since the page says that it is not accepted any more.
    """
    phone = await a_phone(page)
    await account.sign_in(page)
    await expect(page.locator("#passkey-made")).to_be_hidden()
    await page.click("#account-passkey-add")
    await page.fill("#name", "My phone")
    await page.click("#account-passkey-add")
    await expect(page.get_by_role("alert").or_(page.get_by_role("status"))).to_contain_text("has been added")
    await expect(page.locator(".rows")).to_contain_text("My phone")
    await account.sign_out(page)
    await page.goto(f"{account.origin}{ACCOUNT}")  # the browser suggests the passkey, and the phone agrees
    await expect(page.locator("#account-passkeys")).to_be_visible()
    await page.click("#account-passkeys")
    assert len(await phone.passkeys()) == 1
    await page.get_by_role("button", name="Remove").click()
    await expect(page.locator("main")).to_contain_text("has been removed")
    await expect(page.locator(".rows")).to_have_count(0)
    await phone.forgets()


SILENTLY = """
    PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: true });
    const create = navigator.credentials.create.bind(navigator.credentials);
    navigator.credentials.create = ({ mediation, ...asked }) => {
      if (mediation !== "conditional") throw new TypeError("a prompt");
      return create(asked);
    };
"""
"""A browser that makes passkeys without asking: Chromium does with a password manager only."""


async def test_the_browser_makes_a_passkey_after_a_password(page: Page, account: Account) -> None:
    """In the background of the overview, which says so; it signs in the next time."""
    await a_phone(page)
    await page.add_init_script(SILENTLY)
    await account.sign_in(page)
    await expect(page.get_by_text("Your browser has made a passkey")).to_be_visible(timeout=30_000)
    await page.reload()
    await expect(page.locator("main")).to_contain_text("One passkey")
    await expect(page.get_by_text("Your browser has made a passkey")).to_be_hidden()
    await account.sign_out(page)
    await page.goto(f"{account.origin}{ACCOUNT}")
    await expect(page.locator("#account-passkeys")).to_be_visible()


async def test_a_person_makes_a_token_for_a_script(page: Page, account: Account) -> None:
    """Name it, choose what it may do, copy it, see it in the list, and revoke it."""
    await account.sign_in(page)
    await page.focus("#account-tokens")
    await page.keyboard.press("Enter")
    await page.focus("#name")
    await page.keyboard.type("Backup")
    await page.focus("#scope-email")
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page.locator("#token")).to_have_text(re.compile("^ostp_[0-9A-Za-z]{49}$"))
    await page.click("[data-copy]")
    await expect(page.get_by_role("status")).to_have_text("Copied")
    await page.click("#token-continue")
    row = page.locator(".rows li").filter(has_text="Backup")
    await row.get_by_text("What it may do").click()
    await expect(row).to_contain_text("See your email address")
    await row.get_by_role("button", name="Revoke").click()
    await expect(page.get_by_role("status")).to_contain_text("has been revoked")
    await expect(page.locator(".rows")).to_have_count(0)
