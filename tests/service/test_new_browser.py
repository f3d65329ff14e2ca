"""Notices of sign-ins: one for each new browser, and none for the others."""

from datetime import timedelta

import pytest

from services.authorization.authentication.new_browser import Place, is_new
from shared.live import clock
from shared.model import User
from shared.paths import ACCOUNT
from tests.accounts import sign_in
from tests.authorization import AuthorizationService, Browser
from tests.planted import planted
from tests.planted.authentication import tells_of_every_sign_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1"


def a_browser(accounts: AuthorizationService, agent: str, address: str) -> Browser:
    """A browser of this kind, at this address."""
    browser = accounts.browser()
    browser.headers |= {"User-Agent": agent, "X-Forwarded-For": address}
    return browser


async def notices(accounts: AuthorizationService, user: User) -> list[tuple[str, str]]:
    """What has been mailed to the user: device and address of each notice. They wait no more."""
    taken = await accounts.world.stores.mails.take(100, timedelta(minutes=1), clock.now())
    await accounts.world.database.row("TRUNCATE mails")
    own = [mail for mail in taken if mail.user_id == user.user_id]
    assert {mail.kind for mail in own} <= {"new_browser"}
    return [(mail.contents.values["device"], mail.contents.values["address"]) for mail in own]


@planted(tells_of_every_sign_in)
async def test_a_known_browser_is_not_told_again(accounts: AuthorizationService) -> None:
    """Only its first sign-in is, whatever its address becomes."""
    user, browser = await accounts.user(), a_browser(accounts, FIREFOX, "192.0.2.1")
    assert (await sign_in(browser, user)).path == ACCOUNT.path
    assert await notices(accounts, user) == [("Firefox · Linux", "192.0.2.1")]
    browser.http.cookie_jar.clear(lambda cookie: "session" in cookie.key)
    browser.headers["X-Forwarded-For"] = "198.51.100.9"
    assert (await sign_in(browser, user)).path == ACCOUNT.path
    assert await notices(accounts, user) == []


async def test_another_browser_is_told(accounts: AuthorizationService) -> None:
    """By its kind or by its network; a private window beside a session is neither."""
    user = await accounts.user()
    await sign_in(a_browser(accounts, FIREFOX, "192.0.2.1"), user)
    await notices(accounts, user)
    for agent, address, is_told in (
        (FIREFOX, "192.0.2.1", False),
        (FIREFOX, "203.0.113.5", True),
        (SAFARI, "192.0.2.1", True),
    ):
        await sign_in(a_browser(accounts, agent, address), user)
        assert bool(await notices(accounts, user)) is is_told, (agent, address)


async def test_who_has_no_address_is_not_told(accounts: AuthorizationService) -> None:
    """Nor somebody else, at an address that is marked unverified."""
    for claims in ({}, {"email": "unverified@new.test", "email_verified": False}):
        user = await accounts.user(claims=claims)
        await sign_in(a_browser(accounts, FIREFOX, "192.0.2.1"), user)
        assert await notices(accounts, user) == []


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
