"""The e-mail address of an account: confirmed by a code, and changed by it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest
import pytest_asyncio

from shared.live import clock
from shared.model import User
from shared.oauth.tokens.handle import digest
from shared.operations.recovery import make_recovery_link
from shared.paths import ACCOUNT, ACCOUNT_EMAIL
from shared.store import Expiring, Mail, Unavailable
from shared.store.postgres.users import PostgresUsers
from tests.accounts import grow_old, serve_accounts, sign_in, visit
from tests.authorization import LOCAL_ISSUER, AuthorizationService, Browser, Page, is_login
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.recovery import counts_no_tries, keeps_links_to_an_old_address, spends_the_code_first

MINUTE = timedelta(minutes=1)


@pytest_asyncio.fixture(scope="module")
async def mailing(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """Both services with a mail server, and with rate limits."""
    settings = settings_for(
        module_database_url, module_redis_url, issuer=LOCAL_ISSUER, smtp_url="smtp://127.0.0.1:9"
    )
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _nothing_waits(mailing: AuthorizationService) -> None:
    await mailing.world.database.row("TRUNCATE mails")


async def opened(mailing: AuthorizationService, user: User) -> tuple[Browser, Page]:
    """A browser on the page."""
    browser = mailing.browser()
    return browser, await sign_in(browser, user, ACCOUNT_EMAIL)


async def send(browser: Browser, page: Page, **fields: str) -> Page:
    """Send a form of the page."""
    return await browser.post(ACCOUNT_EMAIL.path, {**page.hidden, **fields})


async def mails(mailing: AuthorizationService) -> list[Mail]:
    """Those about an address that wait, oldest first."""
    taken = await mailing.world.stores.mails.take(100, MINUTE, clock.now())
    return sorted((mail for mail in taken if mail.kind != "new_browser"), key=lambda mail: mail.created_at)


async def code_in(mailing: AuthorizationService, address: str) -> str:
    """The code of the only mail."""
    (mail,) = await mails(mailing)
    assert (mail.kind, mail.contents.recipient) == ("confirm_address", address)
    return mail.contents.values["code"]


async def address_of(mailing: AuthorizationService, user: User) -> tuple[object, object]:
    """The stored address, and whether it is verified."""
    stored = await mailing.world.stores.users.find(user.user_id)
    assert stored
    return stored.claims.get("email"), stored.claims.get("email_verified")


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_an_address_is_changed_by_its_code(mailing: AuthorizationService) -> None:
    """Nothing changes before; then the new one is verified and signs in, and the old one gets a notice."""
    user = await mailing.user(claims={"email": "old@change.test", "email_verified": True})
    browser, page = await opened(mailing, user)
    page = await send(browser, page, email=" New@change.test ")
    assert "New@change.test" in page.text
    code = await code_in(mailing, "New@change.test")
    assert await address_of(mailing, user) == ("old@change.test", True)
    await mailing.world.database.row("TRUNCATE mails")
    page = await send(browser, page, code=f"{code[:3]} {code[3:]}")
    assert (page.path.partition("?")[0], "has been confirmed" in page.text) == (ACCOUNT.path, True)
    assert await address_of(mailing, user) == ("New@change.test", True)
    found = await mailing.world.stores.users.find_by_name("new@change.test")
    assert found
    assert found.user_id == user.user_id
    assert await mailing.world.stores.users.find_by_name("old@change.test") is None
    (notice,) = await mails(mailing)
    assert (notice.kind, notice.contents.recipient) == ("address_changed", "old@change.test")
    assert notice.contents.values["address"] == "New@change.test"


async def test_an_unverified_address_is_verified(mailing: AuthorizationService) -> None:
    """By the same code, without a notice; afterwards there is nothing to ask."""
    user = await mailing.user(claims={"email": "mine@verify.test", "email_verified": False})
    browser, page = await opened(mailing, user)
    page = await send(browser, page, email="mine@verify.test")
    page = await send(browser, page, code=await code_in(mailing, "mine@verify.test"))
    assert await address_of(mailing, user) == ("mine@verify.test", True)
    assert len(await mails(mailing)) == 0
    page = await visit(browser, ACCOUNT_EMAIL.path)
    assert (await send(browser, page, email="mine@verify.test")).path == ACCOUNT.path
    assert await mails(mailing) == []


@planted(spends_the_code_first)
async def test_a_code_outlives_an_outage(mailing: AuthorizationService) -> None:
    """Whoever is told 503 sends the same form again; then the code works no more."""
    old, new = f"old-{uuid4()}@outage.test", f"new-{uuid4()}@outage.test"
    user = await mailing.user(claims={"email": old, "email_verified": True})
    browser, page = await opened(mailing, user)
    page = await send(browser, page, email=new)
    code = await code_in(mailing, new)
    with patch.object(PostgresUsers, "replace", side_effect=Unavailable("it is away")):
        assert (await send(browser, page, code=code)).status == 503
    assert await address_of(mailing, user) == (old, True)
    await send(browser, page, code=code)
    assert await address_of(mailing, user) == (new, True)
    assert await mailing.world.stores.address_codes.pending_address(user.user_id) is None


@planted(counts_no_tries)
async def test_a_code_dies_of_wrong_ones(mailing: AuthorizationService) -> None:
    """After five attempts, also concurrent ones; and it is another user's for nobody."""
    user, other = await mailing.user(), await mailing.user()
    browser, page = await opened(mailing, user)
    address = f"{user.user_id.hex}@code.test"
    page = await send(browser, page, email=address)
    code = await code_in(mailing, address)
    elsewhere, its_page = await opened(mailing, other)
    assert (await send(elsewhere, its_page, code=code)).status == 400
    guess = {**page.hidden, "code": wrong(code)}
    guesses = [browser.request("POST", ACCOUNT_EMAIL.path, data=guess) for _ in range(5)]
    assert {each.status for each in await asyncio.gather(*guesses)} == {400}
    page = await send(browser, page, code=code)
    assert (page.status, "Wrong code" in page.text) == (400, True)
    assert (await address_of(mailing, user))[0] != address


@pytest.mark.parametrize("end", ["expired", "replaced", "epoch", "spent"])
async def test_a_code_ends(mailing: AuthorizationService, end: str) -> None:
    """By age, by another one, with the user's epoch, and when it was used."""
    user, stores = await mailing.user(), mailing.world.stores
    browser, page = await opened(mailing, user)
    page = await send(browser, page, email=f"{end}@end.test")
    code = await code_in(mailing, f"{end}@end.test")
    match end:
        case "expired":
            past = "UPDATE address_codes SET expires_at = now() - interval '8 days' WHERE user_id = $1"
            await mailing.world.database.row(past, user.user_id)
        case "replaced":
            await stores.address_codes.put(user.user_id, "x@end.test", b"other", MINUTE)
        case "epoch":
            await stores.users.end_all(user.user_id)
            browser, page = await opened(mailing, user)
        case "spent":
            await send(browser, page, code=code)
            page = await visit(browser, ACCOUNT_EMAIL.path)
    assert (await send(browser, page, code=code)).status == 400
    if end == "expired":
        assert await stores.expiry.remove(Expiring.ADDRESS_CODES, timedelta(days=7), 10) == 1


async def test_an_address_of_somebody_else_is_not_taken_over(mailing: AuthorizationService) -> None:
    """Even by who reads its mails."""
    await mailing.user(claims={"email": "hers@taken.test", "email_verified": True})
    user = await mailing.user()
    browser, page = await opened(mailing, user)
    page = await send(browser, page, email="hers@taken.test")
    page = await send(browser, page, code=await code_in(mailing, "hers@taken.test"))
    assert (page.status, "Address in use" in page.text) == (400, True)
    assert (await address_of(mailing, user))[0] != "hers@taken.test"


@pytest.mark.parametrize("email", ["", "ada", "a@b.test, c@d.test", "a@b.test\r\nBcc: c@d.test"])
async def test_what_is_no_address_gets_no_code(mailing: AuthorizationService, email: str) -> None:
    """The form says so."""
    browser, page = await opened(mailing, await mailing.user())
    page = await send(browser, page, email=email)
    assert (page.status, 'aria-invalid="true"' in page.text) == (400, True)
    assert await mails(mailing) == []


async def test_codes_are_limited(mailing: AuthorizationService) -> None:
    """By user and by address: nobody's mailbox is filled."""
    user = await mailing.user()
    browser, page = await opened(mailing, user)
    statuses = [(await send(browser, page, email=f"{number}@limit.test")).status for number in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    for _ in range(6):
        browser, page = await opened(mailing, await mailing.user())
        page = await send(browser, page, email="full@limit.test")
    assert page.status == 429
    assert len([mail for mail in await mails(mailing) if mail.contents.recipient == "full@limit.test"]) == 5


@planted(keeps_links_to_an_old_address)
async def test_links_to_an_old_address_end(mailing: AuthorizationService) -> None:
    """Whoever still reads it cannot set a password."""
    user, stores = await mailing.user(), mailing.world.stores
    link = await make_recovery_link(stores.recovery_links, stores.users, user.username, LOCAL_ISSUER)
    handle = link.uri.partition("link=")[2]
    browser, page = await opened(mailing, user)
    address = f"{user.user_id.hex}@safe.test"
    page = await send(browser, page, email=address)
    code = await code_in(mailing, address)
    assert await stores.recovery_links.find(digest(handle))
    await send(browser, page, code=code)
    assert await stores.recovery_links.find(digest(handle)) is None


async def test_it_takes_a_fresh_sign_in_and_a_mail_server(
    mailing: AuthorizationService, module_database_url: str, module_redis_url: str
) -> None:
    """An old session signs in again; without mails there is no page and no link to it."""
    user = await mailing.user()
    browser, page = await opened(mailing, user)
    await grow_old(mailing, browser, timedelta(minutes=6))
    assert is_login(await visit(browser, ACCOUNT_EMAIL.path))
    page = await browser.request("POST", ACCOUNT_EMAIL.path, data={**page.hidden, "email": "x@y.test"})
    assert page.status == 303
    assert await mails(mailing) == []
    assert 'id="account-email"' in (await visit(browser, ACCOUNT.path)).text
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER)
    async with serve_accounts(settings, mailing.world) as service:
        other = service.browser()
        assert 'id="account-email"' not in (await sign_in(other, user)).text
        assert (await other.get(ACCOUNT_EMAIL.path)).status == 404
