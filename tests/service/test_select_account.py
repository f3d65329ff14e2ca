"""Several accounts in one browser: `prompt=select_account` (OpenID Connect Core 1.0 §3.1.2.1)."""

import re
from http.cookies import SimpleCookie

import pytest

from shared.model import User
from shared.oauth.client.record import Client
from shared.paths import LOGOUT, PREFIX, SELECT_ACCOUNT
from tests.authorization import (
    AuthorizationService,
    Browser,
    Page,
    is_consent,
    is_error_page,
    is_login,
)

_ACCOUNT = re.compile(r'name="account" value="([0-9a-f-]{36})">.*?<bdi class="name">([^<]*)</bdi>', re.DOTALL)


def accounts(page: Page) -> dict[str, str]:
    """The buttons of the account page: user name to value."""
    assert page.status == 200
    assert 'id="account-other"' in page.text, page.text
    return {username: value for value, username in _ACCOUNT.findall(page.text)}


async def choose(browser: Browser, page: Page, account: str) -> Page:
    """Press a button of it."""
    return await browser.post(SELECT_ACCOUNT.path, {**page.hidden, "account": account})


async def add(browser: Browser, client: Client, user: User) -> Page:
    """Sign in with another account, beside the present ones."""
    page = await browser.authorize(client, prompt="select_account")
    page = await choose(browser, page, "other")
    assert is_login(page)
    return await browser.log_in(page, user)


async def subject_of(op: AuthorizationService, page: Page) -> User | None:
    """The user of the code in a response."""
    return await op.world.stores.users.find((await op.code(page)).authorization.user_id)


@pytest.mark.point(8)
async def test_one_of_two(op: AuthorizationService) -> None:
    """Each account has a session; the client gets the chosen one, which becomes active."""
    client, browser = await op.client(skip_consent=True), op.browser()
    ada, bob = await op.user(), await op.user()
    first = await op.code(await browser.sign_in(client, ada))
    second = await op.code(await add(browser, client, bob))
    assert first.authorization.sid != second.authorization.sid
    page = await browser.authorize(client, prompt="select_account")
    assert list(accounts(page)) == [bob.username, ada.username]
    answer = await op.code(await choose(browser, page, accounts(page)[ada.username]))
    assert (answer.authorization.user_id, answer.authorization.sid) == (ada.user_id, first.authorization.sid)
    assert answer.authorization.authentication == first.authorization.authentication
    silent = await op.code(await browser.authorize(client, prompt="none"))
    assert silent.authorization.user_id == ada.user_id
    page = await browser.authorize(client, prompt="select_account")
    answer = await op.code(await choose(browser, page, accounts(page)[bob.username]))
    assert answer.authorization.sid == second.authorization.sid


@pytest.mark.point(8)
async def test_the_one_who_is_there_is_asked_too(op: AuthorizationService) -> None:
    """With one account, the user is asked, too."""
    client, browser, ada = await op.client(skip_consent=True), op.browser(), await op.user()
    await browser.sign_in(client, ada)
    page = await browser.authorize(client, prompt="select_account")
    assert list(accounts(page)) == [ada.username]
    again = await browser.get(SELECT_ACCOUNT.path, {"interaction": page.hidden["interaction"]})
    assert accounts(again) == accounts(page)
    assert "code" in (await choose(browser, page, accounts(page)[ada.username])).answer


async def test_nobody_is_there(op: AuthorizationService) -> None:
    """Without an account, signing in is the choice."""
    client, browser, ada = await op.client(skip_consent=True), op.browser(), await op.user()
    page = await browser.authorize(client, prompt="select_account")
    assert is_login(page)
    assert "code" in (await browser.log_in(page, ada)).answer


async def test_the_same_user_again_has_one_session(op: AuthorizationService) -> None:
    """A user who signs in again continues with the same `sid`."""
    client, browser = await op.client(skip_consent=True), op.browser()
    ada, bob = await op.user(), await op.user()
    first = await op.code(await browser.sign_in(client, ada))
    await add(browser, client, bob)
    again = await op.code(await add(browser, client, ada))
    assert again.authorization.sid == first.authorization.sid
    page = await browser.authorize(client, prompt="select_account")
    assert list(accounts(page)) == [ada.username, bob.username]


async def test_each_user_is_listed_once(op: AuthorizationService) -> None:
    """A user who signs in again is listed once."""
    client, browser = await op.client(skip_consent=True), op.browser()
    ada, bob = await op.user(), await op.user()
    await browser.sign_in(client, bob)
    await add(browser, client, ada)
    page = await browser.authorize(client, prompt="login")
    await browser.log_in(page, bob)
    page = await browser.authorize(client, prompt="select_account")
    assert page.text.count('name="account"') == len([bob.username, "other"])


@pytest.mark.point(8)
async def test_choosing_comes_before_the_other_prompts(op: AuthorizationService) -> None:
    """`select_account login` asks the chosen one for a password, `select_account consent` for consent."""
    client, browser, ada = await op.client(skip_consent=True), op.browser(), await op.user()
    await browser.sign_in(client, ada)
    page = await browser.authorize(client, prompt="select_account login")
    page = await choose(browser, page, accounts(page)[ada.username])
    assert is_login(page)
    assert "code" in (await browser.log_in(page, ada)).answer
    page = await browser.authorize(client, prompt="consent select_account")
    assert is_consent(await choose(browser, page, accounts(page)[ada.username]))
    refused = await browser.authorize(client, prompt="none select_account")
    assert refused.answer["error"] == "invalid_request"


async def test_an_abandoned_choice_changes_nothing(op: AuthorizationService) -> None:
    """Case 36: an abandoned selection changes nothing."""
    client, browser, ada = await op.client(skip_consent=True), op.browser(), await op.user()
    before = await op.code(await browser.sign_in(client, ada))
    page = await browser.authorize(client, prompt="select_account")
    assert is_login(await choose(browser, page, "other"))
    after = await op.code(await browser.authorize(client, prompt="none"))
    assert after.authorization.sid == before.authorization.sid
    assert after.authorization.authentication == before.authorization.authentication


@pytest.mark.parametrize("ending", ["ended", "disabled"])
async def test_only_the_living_can_be_chosen(op: AuthorizationService, ending: str) -> None:
    """A session that ended, or whose user was disabled, is not listed, and cannot be pressed any more."""
    client, browser = await op.client(skip_consent=True), op.browser()
    ada, bob = await op.user(), await op.user()
    first = await op.code(await browser.sign_in(client, ada))
    await add(browser, client, bob)
    page = await browser.authorize(client, prompt="select_account")
    if ending == "ended":
        await op.world.stores.sessions.end(first.authorization.sid, "test")
    else:
        await op.world.stores.users.disable(ada.user_id)
    pressed = await choose(browser, page, accounts(page)[ada.username])
    assert list(accounts(pressed)) == [bob.username]


async def test_only_the_browsers_own_sessions_can_be_chosen(op: AuthorizationService) -> None:
    """Only sessions whose handles the browser has can be selected."""
    client, browser, ada = await op.client(skip_consent=True), op.browser(), await op.user()
    victim = await op.code(await op.browser().sign_in(client, await op.user()))
    await browser.sign_in(client, ada)
    page = await browser.authorize(client, prompt="select_account")
    for value in (str(victim.authorization.sid), "x", "1", ada.username):
        assert list(accounts(await choose(browser, page, value))) == [ada.username]
    assert is_error_page(await choose(browser, page, ""))


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}, {"token": "wrong"}]
)
async def test_nobody_else_chooses(op: AuthorizationService, headers: dict[str, str]) -> None:
    """A form of another site, or one that was not made for this session: 403, and nothing changes."""
    client, browser = await op.client(skip_consent=True), op.browser()
    ada, bob = await op.user(), await op.user()
    await browser.sign_in(client, ada)
    await add(browser, client, bob)
    page = await browser.authorize(client, prompt="select_account")
    fields = {**page.hidden, "account": accounts(page)[ada.username]}
    if "token" in headers:
        fields, headers = {**fields, "form_token": "wrong"}, {}
    refused = await browser.post(SELECT_ACCOUNT.path, fields, headers=headers)
    assert refused.status == 403
    assert refused.cookies == ()
    active = await op.code(await browser.authorize(client, prompt="none"))
    assert active.authorization.user_id == bob.user_id


async def test_signing_out_leaves_nobody_behind(op: AuthorizationService) -> None:
    """Signing out ends every account of the browser."""
    client, browser = await op.client(skip_consent=True), op.browser()
    await browser.sign_in(client, await op.user())
    await add(browser, client, await op.user())
    page = await browser.get(LOGOUT.path)
    await browser.post(LOGOUT.path, page.hidden)
    assert is_login(await browser.authorize(client, prompt="select_account"))
    assert not browser.cookie("accounts")


async def test_the_accounts_are_bounded(op: AuthorizationService) -> None:
    """Six more than the active one: the browser keeps five of them."""
    client, browser = await op.client(skip_consent=True), op.browser()
    await browser.sign_in(client, await op.user())
    for _ in range(6):
        await add(browser, client, await op.user())
    page = await browser.authorize(client, prompt="select_account")
    assert len(accounts(page)) == 6


@pytest.mark.parametrize("value", ["", ".", "x.y", "br_" + "A" * 43, "se_" + "A" * 43, "." * 4000])
async def test_a_malformed_cookie_of_accounts_is_nobody(op: AuthorizationService, value: str) -> None:
    """Case 61."""
    client, browser, ada = await op.client(skip_consent=True), op.browser(), await op.user()
    await browser.sign_in(client, ada)
    await add(browser, client, await op.user())
    (name,) = [cookie.key for cookie in browser.http.cookie_jar if "accounts" in cookie.key]
    planted: SimpleCookie = SimpleCookie()
    planted[name] = value
    planted[name]["path"] = PREFIX
    browser.http.cookie_jar.update_cookies(planted, op.server.make_url(PREFIX))
    assert browser.cookie("accounts") == value
    page = await browser.authorize(client, prompt="select_account")
    assert "account-other" in page.text
