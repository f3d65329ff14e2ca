"""Recovery links: opening one spends nothing, and a new password comes from its page alone, once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from shared.live import clock
from shared.live.randomness import new_id
from shared.model import User
from shared.oauth.tokens.handle import digest
from shared.operations.recovery import LINK, UserDisabled, make_recovery_link
from shared.paths import ACCOUNT, ACCOUNT_PASSWORD, ACCOUNT_RECOVERY
from shared.store import Expiring, SignOutExemption
from tests.accounts import log_in, serve_accounts, sign_in, visit
from tests.authorization import (
    LOCAL_ISSUER,
    PASSWORD,
    AuthorizationService,
    Browser,
    Page,
    is_error_page,
)
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.recovery import (
    believes_any_browser,
    outlives_the_password,
    spends_nothing,
    takes_the_current_password,
)

NEW_PASSWORD = "four words nobody guesses"


@pytest_asyncio.fixture(scope="module")
async def accounts(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """Both services."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER, rate_limits="off")
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


@pytest_asyncio.fixture(scope="module")
async def mailing(
    accounts: AuthorizationService, module_database_url: str, module_redis_url: str
) -> AsyncIterator[AuthorizationService]:
    """The same deployment, with a mail server that nothing reaches."""
    settings = settings_for(
        module_database_url,
        module_redis_url,
        issuer=LOCAL_ISSUER,
        rate_limits="off",
        smtp_url="smtp://127.0.0.1:9",
    )
    async with serve_accounts(settings, accounts.world) as service:
        yield service


async def link_for(accounts: AuthorizationService, user: User) -> str:
    """The handle of a new link."""
    stores = accounts.world.stores
    link = await make_recovery_link(stores.recovery_links, stores.users, user.username, LOCAL_ISSUER)
    assert link.uri.startswith("http://localhost:8080/oidc/account/recovery?")
    (handle,) = parse_qs(urlsplit(link.uri).query)[LINK]
    return handle


async def opened(browser: Browser, handle: str) -> Page:
    """The page of a link."""
    return await browser.request("GET", ACCOUNT_RECOVERY.path, params={LINK: handle})


async def send(browser: Browser, page: Page, password: str = NEW_PASSWORD, **more: str) -> Page:
    """Send the form of a link's page."""
    fields = {**page.hidden, "new_password": password, **more}
    return await browser.request("POST", ACCOUNT_RECOVERY.path, data=fields)


def is_form(page: Page) -> bool:
    return page.status == 200 and 'name="new_password"' in page.text


def is_recovered(page: Page) -> bool:
    return page.status == 200 and 'id="recovered-sign-in"' in page.text


def is_dead(page: Page) -> bool:
    return page.status == 410 and is_error_page(page) and "link_expired" in page.text


async def test_opening_a_link_spends_nothing(accounts: AuthorizationService) -> None:
    """HEAD, GET and a second browser's GET leave it as it is; its form, in the first browser, works."""
    user, scanner, browser = await accounts.user(), accounts.browser(), accounts.browser()
    handle = await link_for(accounts, user)
    for method in ("HEAD", "GET", "GET"):
        page = await scanner.request(method, ACCOUNT_RECOVERY.path, params={LINK: handle})
        assert page.status == 200
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
    page = await opened(browser, handle)
    assert is_form(page)
    assert user.username in page.text
    assert is_recovered(await send(browser, page))
    assert (await sign_in_with(accounts, user, NEW_PASSWORD)).path == ACCOUNT.path


async def sign_in_with(accounts: AuthorizationService, user: User, password: str) -> Page:
    browser = accounts.browser()
    return await log_in(browser, await visit(browser, ACCOUNT.path), user, password)


@planted(spends_nothing)
async def test_a_link_works_once(accounts: AuthorizationService) -> None:
    """Of forms sent at once, one sets the password; then the link is dead."""
    user = await accounts.user()
    handle = await link_for(accounts, user)
    browsers = [accounts.browser() for _ in range(4)]
    pages = [await opened(browser, handle) for browser in browsers]
    sent = [send(browser, page) for browser, page in zip(browsers, pages, strict=True)]
    answers = await asyncio.gather(*sent)
    assert sum(map(is_recovered, answers)) == 1
    assert sum(map(is_dead, answers)) == 3
    assert is_dead(await opened(browsers[0], handle))


@planted(believes_any_browser)
async def test_a_form_works_in_the_browser_that_was_shown_it(accounts: AuthorizationService) -> None:
    """Without the page's cookie, with another browser's, or from another site, nothing is spent."""
    user, browser, other = await accounts.user(), accounts.browser(), accounts.browser()
    handle = await link_for(accounts, user)
    page = await opened(browser, handle)
    bare = await send(other, page)
    assert (bare.status, "cookie_missing" in bare.text) == (403, True)
    await opened(other, handle)
    stale = await send(other, page)
    assert (stale.status, "stale_form" in stale.text) == (403, True)
    browser.headers["Sec-Fetch-Site"] = "cross-site"
    assert (await send(browser, page)).status == 403
    del browser.headers["Sec-Fetch-Site"]
    assert is_recovered(await send(browser, page))


@planted(takes_the_current_password)
async def test_a_bad_password_spends_nothing(accounts: AuthorizationService) -> None:
    """The form comes back with the reason: for the current password too, which somebody else may know."""
    user, browser = await accounts.user(), accounts.browser()
    page = await opened(browser, await link_for(accounts, user))
    for password in ("short", user.username, PASSWORD, ""):
        page = await send(browser, page, password)
        assert page.status == 400
        assert 'role="alert"' in page.text
    assert is_recovered(await send(browser, page))


async def test_a_user_without_a_password_gets_one(accounts: AuthorizationService) -> None:
    """Their link replaces nothing."""
    user_id = new_id()
    user = User(user_id=user_id, username=f"ada-{user_id.hex}")
    await accounts.world.stores.users.add(user, None)
    browser = accounts.browser()
    assert is_recovered(await send(browser, await opened(browser, await link_for(accounts, user))))


@pytest.mark.parametrize("others", [True, False])
async def test_the_user_chooses_whether_sessions_end(accounts: AuthorizationService, others: bool) -> None:
    """Who keeps them stays signed in elsewhere."""
    user, elsewhere, browser = await accounts.user(), accounts.browser(), accounts.browser()
    await sign_in(elsewhere, user)
    page = await opened(browser, await link_for(accounts, user))
    assert is_recovered(await send(browser, page, **({"sign_out_others": "yes"} if others else {})))
    assert ((await visit(elsewhere, ACCOUNT.path)).path == ACCOUNT.path) is not others


@planted(outlives_the_password)
@pytest.mark.parametrize("change", ["password", "disabled for a while"])
async def test_a_link_ends_with_the_epoch(accounts: AuthorizationService, change: str) -> None:
    """By another password, and for good when the user is disabled."""
    user, stores = await accounts.user(), accounts.world.stores
    handle, browser = await link_for(accounts, user), accounts.browser()
    page = await opened(browser, handle)
    if change == "password":
        await stores.credentials.set_password(user.user_id, "hash", SignOutExemption())
    else:
        await stores.users.disable(user.user_id)
        await stores.users.enable(user.user_id)
    await _ended(accounts, browser, page, user)


@pytest.mark.parametrize("end", ["expired", "disabled", "deleted"])
async def test_a_link_ends(accounts: AuthorizationService, end: str) -> None:
    """By age, and when the user is disabled or deleted."""
    user, stores = await accounts.user(), accounts.world.stores
    handle, browser = await link_for(accounts, user), accounts.browser()
    page = await opened(browser, handle)
    match end:
        case "expired":
            past = "UPDATE recovery_links SET expires_at = now() WHERE link_hash = $1"
            await accounts.world.database.row(past, digest(handle))
        case "disabled":
            await stores.users.disable(user.user_id)
        case "deleted":
            await stores.users.delete(user.user_id)
    await _ended(accounts, browser, page, user)


async def _ended(accounts: AuthorizationService, browser: Browser, page: Page, user: User) -> None:
    """The link of a page that is open does not work any more, and neither does the page's form."""
    handle, links = page.hidden[LINK], accounts.world.stores.recovery_links
    assert is_dead(await send(browser, page))
    assert is_dead(await opened(browser, handle))
    assert not await links.set_password(digest(handle), user.user_id, "hash")


@pytest.mark.parametrize("handle", ["", "rl_" + "x" * 43, "se_" + "x" * 43, "x" * 5000])
async def test_no_other_handle_opens_it(accounts: AuthorizationService, handle: str) -> None:
    """Neither one that was never made nor another kind's."""
    assert is_dead(await opened(accounts.browser(), handle))


async def test_a_disabled_user_gets_no_link(accounts: AuthorizationService) -> None:
    """The operator is told."""
    user = await accounts.user()
    await accounts.world.stores.users.disable(user.user_id)
    with pytest.raises(UserDisabled):
        await link_for(accounts, user)


async def test_links_are_audited_and_kept_from_logs_and_rows(
    accounts: AuthorizationService, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Making and using one is audited. Neither a log line nor a table contains it."""
    caplog.set_level(logging.DEBUG)
    user, browser = await accounts.user(), accounts.browser()
    handle = await link_for(accounts, user)
    before = await accounts.world.audited("recovery_link_used")
    page = await opened(browser, handle)
    await send(accounts.browser(), page)
    await send(browser, page)
    await opened(browser, handle)
    assert await accounts.world.audited("recovery_link_used") == before + 1
    rows = [row async for row in accounts.world.audit_rows() if row["user_id"] == user.user_id]
    events = [row["event"] for row in rows]
    assert [each for each in events if "recovery" in each] == ["recovery_link_made", "recovery_link_used"]
    assert "password_changed" in events
    written = capfd.readouterr()
    for text in (caplog.text, written.out, written.err, str(rows)):
        assert handle not in text


async def test_links_expire_as_rows(accounts: AuthorizationService) -> None:
    """What is too old is deleted."""
    user = await accounts.user()
    handle = await link_for(accounts, user)
    past = "UPDATE recovery_links SET expires_at = now() - interval '8 days' WHERE link_hash = $1"
    await accounts.world.database.row(past, digest(handle))
    assert await accounts.world.stores.expiry.remove(Expiring.RECOVERY_LINKS, timedelta(days=7), 10) == 1


async def test_users_hear_of_a_new_password(mailing: AuthorizationService) -> None:
    """By recovery and in the account, in their language; unverified addresses get no mail."""
    german = await mailing.user(claims={"email": "ada@example.org", "locale": "de-AT"})
    unknown = await mailing.user(claims={"email": "eve@example.org", "email_verified": False})
    for user in (german, unknown):
        browser = mailing.browser()
        await send(browser, await opened(browser, await link_for(mailing, user)))
        page = await log_in(browser, await visit(browser, ACCOUNT_PASSWORD.path), user, NEW_PASSWORD)
        fields = {**page.hidden, "new_password": f"{NEW_PASSWORD}, either"}
        assert (await browser.request("POST", ACCOUNT_PASSWORD.path, data=fields)).status == 303
    waiting = await mailing.world.stores.mails.take(10, timedelta(minutes=1), clock.now())
    mails = [each for each in waiting if each.kind in ("account_recovered", "password_changed")]
    assert sorted(each.kind for each in mails) == ["account_recovered", "password_changed"]
    assert {each.user_id for each in mails} == {german.user_id}
    assert {(each.contents.recipient, each.contents.locale) for each in mails} == {("ada@example.org", "de")}
