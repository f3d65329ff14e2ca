"""Adding a second factor to sign in, in Chromium: by a phone with passkeys, and without script."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Browser, expect

from services.accounts.app import mount as mount_accounts
from services.authorization.app import mount as mount_authorization
from shared.identity.passwords import hash_password
from shared.live.randomness import new_id
from shared.model import User
from shared.server.app import application
from shared.server.http.server import Runner
from tests.deployment import open_world, settings_for
from tests.flow.test_account_browser import Account
from tests.flow.test_sign_in_browser import PASSWORD, free_socket, served
from tests.passkeys import a_phone


@pytest.fixture
async def account(database_url: str, redis_url: str) -> AsyncIterator[Account]:
    """A user of both services, who needs a second factor and has none."""
    listening = free_socket()
    origin = f"http://localhost:{listening.getsockname()[1]}"
    settings = settings_for(
        database_url, redis_url, issuer=f"{origin}/oidc", rate_limits="off", second_factor="required"
    )
    user = User(user_id=new_id(), username="ada")
    async with open_world(settings) as world:
        await world.stores.users.add(user, hash_password(PASSWORD))
        app: web.Application = application(settings, mount_authorization, mount_accounts)
        async with served(Runner(app), listening):
            yield Account(origin, user)


async def test_a_person_adds_a_passkey_while_signing_in(browser: Browser, account: Account) -> None:
    """By keyboard; the recovery codes are shown once, and the passkey signs in alone."""
    page = await browser.new_page()
    phone = await a_phone(page)
    await account.sign_in(page)
    await expect(page.locator("h1")).to_have_text("Set up a second step")
    await expect(page.locator("#secret")).to_be_visible()
    await page.focus("#passkey-add")
    await page.keyboard.press("Enter")
    await expect(page.locator("#recovery-codes li")).to_have_count(10)
    await page.click("#recovery-continue")
    await expect(page.locator("main")).to_contain_text("One passkey")
    assert len(await phone.passkeys()) == 1
    await account.sign_out(page)
    await page.goto(
        f"{account.origin}/oidc/account"
    )  # the browser suggests the passkey, and the phone agrees
    await expect(page.locator("#account-passkeys")).to_be_visible()


async def test_without_script_the_app_remains(browser: Browser, account: Account) -> None:
    """No button that does nothing is shown."""
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await account.sign_in(page)
    await expect(page.locator("h1")).to_have_text("Set up a second step")
    await expect(page.locator("#passkey-add")).to_be_hidden()
    await expect(page.locator("#totp-submit")).to_be_visible()
