"""Forgotten passwords: a mail for those who exist, and the same answer for everybody."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest_asyncio

from services.worker.mail.recovery_requests import RequestedLinks
from shared.live import clock
from shared.operations.recovery import LINK, RecoveryMails
from shared.paths import ACCOUNT, ACCOUNT_FORGOTTEN, ACCOUNT_RECOVERY
from shared.store import Expiring, Mail
from tests.accounts import log_in, serve_accounts, visit
from tests.authorization import LOCAL_ISSUER, AuthorizationService, Browser, Page
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.recovery import admits_everybody, tells_who_is_unknown

NEW_PASSWORD = "four words nobody guesses"
MINUTE = timedelta(minutes=1)


@pytest_asyncio.fixture(scope="module")
async def mailing(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """Both services with a mail server, and with rate limits."""
    settings = settings_for(
        module_database_url, module_redis_url, issuer=LOCAL_ISSUER, smtp_url="smtp://127.0.0.1:9"
    )
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


@pytest_asyncio.fixture(autouse=True)
async def _nothing_waits(mailing: AuthorizationService) -> None:
    await mailing.world.database.row("TRUNCATE mails, recovery_requests, users CASCADE")


_addresses = iter(range(1, 250))


def a_browser(mailing: AuthorizationService) -> Browser:
    """A browser in a network of its own."""
    browser = mailing.browser()
    browser.headers["X-Forwarded-For"] = f"192.0.2.{next(_addresses)}"
    return browser


async def ask(browser: Browser, name: str) -> Page:
    """Ask for a link for *name*."""
    page = await browser.get(ACCOUNT_FORGOTTEN.path)
    fields = {**page.hidden, "username": name}
    return await browser.request("POST", ACCOUNT_FORGOTTEN.path, data=fields)


async def mails(world: World) -> list[Mail]:
    """What the worker makes of the requests."""
    stores = world.stores
    queue = RecoveryMails(stores.users, stores.recovery_links, LOCAL_ISSUER, ("en", "de", "fr"))
    await RequestedLinks(stores.recovery_requests, queue).handle(clock.now())
    return list(await stores.mails.take(100, MINUTE, clock.now()))


def link_in(mail: Mail) -> str:
    """The path and query of the link."""
    return mail.contents.values["link"].removeprefix("http://localhost:8080")


async def test_a_forgotten_password_is_replaced(mailing: AuthorizationService) -> None:
    """From the login page to the mail, and from its link to a new password."""
    browser, user = a_browser(mailing), await mailing.user(claims={"email": "ada@one.test", "locale": "fr"})
    assert f'href="{ACCOUNT_FORGOTTEN}"' in (await visit(browser, ACCOUNT.path)).text
    page = await ask(browser, "ADA@one.test")
    assert (page.status, "Check your email" in page.text) == (200, True)
    (mail,) = await mails(mailing.world)
    assert (mail.user_id, mail.kind) == (user.user_id, "password_forgotten")
    assert (mail.contents.recipient, mail.contents.locale) == ("ada@one.test", "fr")
    page = await browser.get(link_in(mail))
    assert "another browser" not in page.text
    fields = {**page.hidden, "new_password": NEW_PASSWORD, "sign_out_others": "yes"}
    assert "recovered-sign-in" in (await browser.request("POST", ACCOUNT_RECOVERY.path, data=fields)).text
    page = await log_in(browser, await visit(browser, ACCOUNT.path), user, NEW_PASSWORD)
    assert page.path == ACCOUNT.path


@planted(tells_who_is_unknown)
async def test_nobody_learns_who_exists(mailing: AuthorizationService) -> None:
    """The answer is the same, and so are the statements for it, whoever is named."""
    world, base = mailing.world, await mailing.user()
    disabled = await mailing.user()
    await world.stores.users.disable(disabled.user_id)
    unverified = await mailing.user(claims={"email": "mine@one.test", "email_verified": False})
    addressless = await mailing.user(claims={})
    answers = set()
    for name in (base, disabled, unverified, addressless, None):
        page = await ask(a_browser(mailing), name.username if name else "nobody")
        answers.add((page.status, page.text, tuple(sorted(set(page.headers) - {"Date"}))))
        row = await world.database.row("SELECT count(*) AS n FROM recovery_requests")
        assert row
        assert row["n"] == 1
        made = await mails(world)
        assert [mail.user_id for mail in made] == ([base.user_id] if name is base else [])
        row = await world.database.row("SELECT count(*) AS n FROM recovery_requests")
        assert row
        assert row["n"] == 0
        await world.database.row("TRUNCATE mails")
    assert len(answers) == 1


async def test_another_browser_is_warned(mailing: AuthorizationService) -> None:
    """A link that somebody else asked for says so before it is used."""
    await mailing.user(claims={"email": "warned@one.test"})
    await ask(a_browser(mailing), "warned@one.test")
    (mail,) = await mails(mailing.world)
    other = a_browser(mailing)
    page = await other.get(link_in(mail))
    assert "another browser" in page.text
    fields = {**page.hidden, "new_password": "short"}
    assert "another browser" in (await other.request("POST", ACCOUNT_RECOVERY.path, data=fields)).text


@planted(admits_everybody)
async def test_requests_are_limited(mailing: AuthorizationService) -> None:
    """By name without a word, and by network with one."""
    user = await mailing.user()
    pages = [await ask(a_browser(mailing), user.username) for _ in range(5)]
    assert {page.status for page in pages} == {200}
    assert len(await mails(mailing.world)) == 3
    browser = a_browser(mailing)
    pages = [await ask(browser, f"nobody{number}") for number in range(12)]
    assert [page.status for page in pages] == [200] * 10 + [429] * 2
    assert int(pages[-1].headers["Retry-After"]) > 0


async def test_a_form_is_the_browsers_own(mailing: AuthorizationService) -> None:
    """Without the cookie or the token nothing is noted; neither is an empty or endless name."""
    browser, other = a_browser(mailing), a_browser(mailing)
    page = await browser.get(ACCOUNT_FORGOTTEN.path)
    fields = {**page.hidden, "username": "ada"}
    assert (await other.request("POST", ACCOUNT_FORGOTTEN.path, data=fields)).status == 403
    await other.get(ACCOUNT_FORGOTTEN.path)
    assert (await other.request("POST", ACCOUNT_FORGOTTEN.path, data=fields)).status == 403
    for name in ("", "  ", "a" * 255):
        assert "forgotten-submit" in (await ask(browser, name)).text
    assert await mailing.world.stores.recovery_requests.take(10, MINUTE, clock.now()) == []


async def test_what_was_typed_is_encrypted_while_it_waits(mailing: AuthorizationService) -> None:
    """And what no key decrypts expires."""
    await ask(a_browser(mailing), "limbo")
    database, stores = mailing.world.database, mailing.world.stores
    row = await database.row("SELECT contents FROM recovery_requests")
    assert row
    assert b"limbo" not in row["contents"]
    await database.row(
        "UPDATE recovery_requests SET contents = contents || '\\x00', created_at = '2020-01-01'"
    )
    assert await stores.recovery_requests.take(10, MINUTE, clock.now()) == []
    assert await stores.expiry.remove(Expiring.RECOVERY_REQUESTS, MINUTE, 10) == 1


async def test_without_a_mail_server_there_is_no_page(
    mailing: AuthorizationService, module_database_url: str, module_redis_url: str
) -> None:
    """Nor a link to it."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER)
    async with serve_accounts(settings, mailing.world) as service:
        browser = service.browser()
        assert ACCOUNT_FORGOTTEN.path not in (await visit(browser, ACCOUNT.path)).text
        assert (await browser.get(ACCOUNT_FORGOTTEN.path)).status == 404
        assert (await browser.request("POST", ACCOUNT_FORGOTTEN.path, data={})).status == 404


async def test_a_link_is_one_handle_on_the_issuer(mailing: AuthorizationService) -> None:
    """Nothing about the user is in it."""
    await mailing.user(claims={"email": "handle@one.test"})
    await ask(a_browser(mailing), "handle@one.test")
    (mail,) = await mails(mailing.world)
    url = urlsplit(mail.contents.values["link"])
    assert f"{url.scheme}://{url.netloc}{url.path}" == ACCOUNT_RECOVERY.at(LOCAL_ISSUER)
    assert list(parse_qs(url.query)) == [LINK]
