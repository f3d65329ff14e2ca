"""Notices of sign-ins: one for each new browser, and none for the others."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from services.authorization.authentication.new_browser import Place, is_new
from shared.live import clock
from shared.model import User
from shared.paths import ACCOUNT
from tests.accounts import serve_accounts, sign_in
from tests.authorization import LOCAL_ISSUER, AuthorizationService, Browser
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.authentication import tells_of_every_sign_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1"


@pytest_asyncio.fixture(scope="module")
async def mailing(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """Both services with a mail server."""
    settings = settings_for(
        module_database_url,
        module_redis_url,
        issuer=LOCAL_ISSUER,
        rate_limits="off",
        smtp_url="smtp://127.0.0.1:9",
    )
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


def a_browser(mailing: AuthorizationService, agent: str, address: str) -> Browser:
    """A browser of this kind, at this address."""
    browser = mailing.browser()
    browser.headers |= {"User-Agent": agent, "X-Forwarded-For": address}
    return browser


async def notices(mailing: AuthorizationService, user: User) -> list[tuple[str, str]]:
    """What has been mailed to the user: device and address of each notice. They wait no more."""
    taken = await mailing.world.stores.mails.take(100, timedelta(minutes=1), clock.now())
    await mailing.world.database.row("TRUNCATE mails")
    own = [mail for mail in taken if mail.user_id == user.user_id]
    assert {mail.kind for mail in own} <= {"new_browser"}
    return [(mail.contents.values["device"], mail.contents.values["address"]) for mail in own]


@planted(tells_of_every_sign_in)
async def test_a_known_browser_is_not_told_again(mailing: AuthorizationService) -> None:
    """Only its first sign-in is, whatever its address becomes."""
    user, browser = await mailing.user(), a_browser(mailing, FIREFOX, "192.0.2.1")
    assert (await sign_in(browser, user)).path == ACCOUNT.path
    assert await notices(mailing, user) == [("Firefox · Linux", "192.0.2.1")]
    browser.http.cookie_jar.clear(lambda cookie: "session" in cookie.key)
    browser.headers["X-Forwarded-For"] = "198.51.100.9"
    assert (await sign_in(browser, user)).path == ACCOUNT.path
    assert await notices(mailing, user) == []


async def test_another_browser_is_told(mailing: AuthorizationService) -> None:
    """By its kind or by its network; a private window beside a session is neither."""
    user = await mailing.user()
    await sign_in(a_browser(mailing, FIREFOX, "192.0.2.1"), user)
    await notices(mailing, user)
    for agent, address, is_told in (
        (FIREFOX, "192.0.2.1", False),
        (FIREFOX, "203.0.113.5", True),
        (SAFARI, "192.0.2.1", True),
    ):
        await sign_in(a_browser(mailing, agent, address), user)
        assert bool(await notices(mailing, user)) is is_told, (agent, address)


async def test_who_has_no_address_is_not_told(mailing: AuthorizationService) -> None:
    """Nor somebody else, at an address that is marked unverified."""
    for claims in ({}, {"email": "unverified@new.test", "email_verified": False}):
        user = await mailing.user(claims=claims)
        await sign_in(a_browser(mailing, FIREFOX, "192.0.2.1"), user)
        assert await notices(mailing, user) == []


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (("Firefox", "Linux", "a"), False),
        (("Firefox", "Linux", "b"), True),
        (("Firefox", "Windows", "a"), True),
        ((None, None, "a"), True),
        ((None, "Linux", "a"), False),
    ],
)
async def test_what_is_new(place: Place, expected: bool) -> None:
    """A browser that says nothing of itself may be any."""
    others: list[Place] = [("Firefox", "Linux", "a"), (None, None, "a"), (None, "Linux", "a")]
    assert is_new(place, others) is expected
