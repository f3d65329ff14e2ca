"""A temporary password: somebody else knows it, so its user replaces it before a session begins."""

from base64 import b32decode
from datetime import timedelta

import pytest

from shared.live import clock
from shared.live.randomness import new_id
from shared.model import User
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, ACR_PASSWORD
from shared.paths import LOGIN, REPLACE_PASSWORD
from tests.authorization import PASSWORD, PASSWORD_HASH, AuthorizationService, Browser, Page, is_login
from tests.passkeys import a_user_with_a_passkey
from tests.passkeys import sign_in as sign_in_by_passkey
from tests.planted import planted
from tests.planted.credentials import forgets_that_a_password_is_temporary, replaces_a_changed_password
from tests.second_factors import (
    a_user_with_an_app,
    add,
    code,
    is_addition,
    is_second_factor,
    onward,
    show,
    shown_secret_of,
)
from tests.service.test_factor_notices import mailing

NEW_PASSWORD = "four words nobody guesses"


async def made_temporary(op: AuthorizationService, user: User) -> User:
    """The user, whose password an operator has set."""
    await op.world.stores.credentials.set_password(user.user_id, PASSWORD_HASH, is_temporary=True)
    return user


async def at_client(op: AuthorizationService, browser: Browser, user: User, password: str = PASSWORD) -> Page:
    """Signed in by password, for a client that needs no consent."""
    client = await op.client(skip_consent=True)
    return await browser.log_in(await browser.authorize(client), user, password)


def is_replacement(page: Page) -> bool:
    """The page that asks for a new password."""
    return 'name="new_password"' in page.text and "temporary" in page.text


async def replace_password(browser: Browser, page: Page, password: str = NEW_PASSWORD) -> Page:
    """Fill in that page."""
    return await browser.post(REPLACE_PASSWORD.path, {**page.hidden, "new_password": password})


@planted(forgets_that_a_password_is_temporary)
async def test_a_temporary_password_is_replaced(module_database_url: str, module_redis_url: str) -> None:
    """By another one that the rules allow; then the sign-in goes on, and the new one is not temporary."""
    async with mailing(module_database_url, module_redis_url) as op:
        browser, user = op.browser(), await made_temporary(op, await op.user())
        page = await at_client(op, browser, user)
        assert is_replacement(page)
        for refused in (PASSWORD, "short", "password", user.username, ""):
            answer = await replace_password(browser, page, refused)
            assert (answer.status, is_replacement(answer)) == (400, True), refused
        assert browser.cookie("session") is None
        page = await replace_password(browser, page)
        assert (await op.code(page)).authorization.authentication.acr == ACR_PASSWORD
        again = await at_client(op, op.browser(), user)
        assert again.status == 400
        assert (await at_client(op, op.browser(), user, NEW_PASSWORD)).is_at_client
        mails = await op.world.stores.mails.take(100, timedelta(minutes=1), clock.now())
        assert [mail.kind for mail in mails if mail.user_id == user.user_id].count("password_changed") == 1
        events = await op.world.database.rows(
            "SELECT event, detail FROM audit WHERE user_id = $1 AND event = 'password_changed' ORDER BY at",
            user.user_id,
        )
        assert ["is_temporary" in row["detail"] for row in events] == [True, False]


@planted(replaces_a_changed_password)
async def test_one_of_two_windows_replaces_it(op: AuthorizationService) -> None:
    """The other one begins anew, and so does every window once an operator has set yet another one."""
    user, browsers = await made_temporary(op, await op.user()), [op.browser() for _ in range(3)]
    pages = [await at_client(op, browser, user) for browser in browsers]
    assert all(map(is_replacement, pages))
    assert (await replace_password(browsers[0], pages[0])).is_at_client
    assert is_login(await replace_password(browsers[1], pages[1], f"{NEW_PASSWORD}, either"))
    assert (await at_client(op, op.browser(), user, NEW_PASSWORD)).is_at_client
    await made_temporary(op, user)
    assert is_login(await replace_password(browsers[2], pages[2], f"{NEW_PASSWORD}, either"))
    assert is_replacement(await at_client(op, op.browser(), user))


async def test_a_second_factor_is_shown_first(op: AuthorizationService) -> None:
    """A temporary password alone sets no other one; the browser is remembered as the user has chosen."""
    user, browser = await made_temporary(op, await a_user_with_an_app(op)), op.browser()
    page = await at_client(op, browser, user)
    assert is_second_factor(page)
    early = await replace_password(browser, page)
    assert is_second_factor(early)
    page = await show(browser, page, code=code(), remember="yes")
    assert is_replacement(page)
    assert browser.cookie("session") is None
    answer = await replace_password(browser, page)
    assert (await op.code(answer)).authorization.authentication.acr == ACR_MULTIPLE_FACTORS
    browser.http.cookie_jar.clear(lambda cookie: "session" in cookie.key)
    assert (await at_client(op, browser, user, NEW_PASSWORD)).is_at_client


async def test_a_second_factor_is_added_afterwards(demanding_op: AuthorizationService) -> None:
    """Not beside a password that somebody else knows."""
    op = demanding_op
    user, browser = await made_temporary(op, await op.user()), op.browser()
    page = await at_client(op, browser, user)
    assert is_replacement(page)
    page = await replace_password(browser, page)
    assert is_addition(page)
    assert browser.cookie("session") is None
    added = await add(browser, page, code(b32decode(shown_secret_of(page))))
    assert (await browser.get(onward(added))).is_at_client


async def test_a_passkey_signs_in_beside_a_temporary_password(op: AuthorizationService) -> None:
    """The password stays temporary."""
    user, authenticator = await a_user_with_a_passkey(op)
    await made_temporary(op, user)
    client, browser = await op.client(skip_consent=True), op.browser()
    assert (await sign_in_by_passkey(browser, client, user, authenticator)).is_at_client
    assert is_replacement(await at_client(op, op.browser(), user))


async def test_a_new_user_replaces_the_first_password(op: AuthorizationService) -> None:
    """If whoever has added them has said so."""
    user_id = new_id()
    user = User(user_id=user_id, username=f"grace-{user_id.hex}")
    await op.world.stores.users.add(user, PASSWORD_HASH, is_temporary=True)
    assert is_replacement(await at_client(op, op.browser(), user))


@pytest.mark.parametrize("is_gone", [True, False], ids=["deleted", "disabled"])
async def test_whoever_is_gone_replaces_nothing(op: AuthorizationService, *, is_gone: bool) -> None:
    """The login page follows."""
    user, browser = await made_temporary(op, await op.user()), op.browser()
    page = await at_client(op, browser, user)
    if is_gone:
        await op.world.stores.users.delete(user.user_id)
    else:
        await op.world.stores.users.disable(user.user_id)
    assert is_login(await replace_password(browser, page))
    assert is_login(await browser.get(LOGIN.path, page.hidden))
