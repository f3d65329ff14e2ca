"""Self-registration for tests."""

import re
from typing import Any

from shared.live.randomness import new_id
from shared.model import User
from shared.paths import SIGN_UP
from tests.authorization import PASSWORD, AuthorizationService, Browser, Page


def a_name() -> str:
    """A new user name."""
    return f"zoe-{new_id().hex[-12:]}"


def is_sign_up(page: Page) -> bool:
    return page.status == 200 and 'id="signup-submit"' in page.text


async def sign_up(browser: Browser, page: Page, username: str, **fields: str) -> Page:
    """Fill in the sign-up page. *fields* add to or replace the page's own."""
    whole = {**page.hidden, "username": username, "password": PASSWORD, "name": "", "email": "", **fields}
    return await browser.post(SIGN_UP.path, whole)


async def user_named(op: AuthorizationService, username: str) -> User | None:
    return await op.world.stores.users.find_by_name(username)


async def a_stranger(op: AuthorizationService, **client: Any) -> tuple[Browser, Page]:
    """A browser at the sign-up page."""
    browser = op.browser()
    page = await browser.authorize(await op.client(**client), prompt="create")
    assert is_sign_up(page)
    return browser, page


def is_asked_again(page: Page, field: str) -> bool:
    """Expect 400, and the form with the fault at that field."""
    wrong = re.findall(r'<input id="(\w+)"[^>]* aria-invalid="true"', page.text)
    return page.status == 400 and 'id="signup-submit"' in page.text and wrong == [field]
