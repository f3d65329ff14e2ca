"""Guessing passwords: rate limits, and no information for the guesser."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.authorization.authentication.known_browsers import MAX_USERS
from services.authorization.authentication.throttling import ADDRESS, USER
from shared.live.randomness import new_id
from shared.model import User
from shared.paths import LOGIN
from tests.authorization import (
    LOCAL_ISSUER,
    PASSWORD_HASH,
    AuthorizationService,
    Browser,
    Page,
    is_login,
    serve_authorization,
)
from tests.deployment import settings_for
from tests.passkeys import without_challenge
from tests.planted import planted
from tests.planted.throttling import (
    knows_a_browser_for_ever,
    knows_a_browser_for_everybody,
    knows_no_browser,
)


@pytest_asyncio.fixture(scope="module")
async def guarded(
    op: AuthorizationService, module_database_url: str, module_redis_url: str
) -> AsyncIterator[AuthorizationService]:
    """The same service with rate limits, and addresses from a proxy."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER)
    async with serve_authorization(settings, op.world) as service:
        yield service


class PasswordGuesser:
    """Tries names and passwords on one login page, from addresses of its choice."""

    def __init__(self, service: AuthorizationService, browser: Browser, page: Page, network: str) -> None:
        self._service = service
        self._browser = browser
        self._page = page
        self._network = network

    @classmethod
    async def at(cls, service: AuthorizationService, network: str) -> "PasswordGuesser":
        browser = service.browser()
        page = await browser.authorize(await service.client(skip_consent=True), prompt="login")
        return cls(service, browser, page, network)

    async def guess(self, username: str, password: str = "wrong", host: int = 1) -> Page:
        fields = {**self._page.hidden, "username": username, "password": password}
        headers = {"X-Forwarded-For": f"{self._network}{':' if ':' in self._network else '.'}{host}"}
        return await self._browser.request("POST", LOGIN.path, data=fields, headers=headers)


RIGHT = "correct horse battery staple"


async def test_the_right_password_is_refused_while_waiting(guarded: AuthorizationService) -> None:
    """After too many wrong passwords, the correct one gets 429 with Retry-After, too."""
    user, guesser = await guarded.user(), await PasswordGuesser.at(guarded, "10.1.0")
    statuses = [(await guesser.guess(user.username)).status for _ in range(11)]
    assert statuses == [400] * USER.free + [429] * (11 - USER.free)
    wrong, right = await guesser.guess(user.username), await guesser.guess(user.username, RIGHT)
    assert right.status == 429
    assert int(right.headers["Retry-After"]) > 0
    assert without_challenge(right) == without_challenge(wrong)


async def test_many_addresses_share_a_user_s_tries(guarded: AuthorizationService) -> None:
    """Fifty addresses together have no more attempts for a user than one."""
    user, guesser = await guarded.user(), await PasswordGuesser.at(guarded, "10.2.0")
    statuses = [(await guesser.guess(user.username, host=host)).status for host in range(1, 51)]
    assert statuses.count(400) == USER.free


async def test_all_spellings_of_a_name_share_its_tries(guarded: AuthorizationService) -> None:
    """User name, e-mail address, case, spaces and compatibility forms count together."""
    user = await guarded.user(username="Zoe.Fischer", claims={"email": "zoe@example.org"})
    guesser = await PasswordGuesser.at(guarded, "10.3.0")
    spellings = [
        "zoe.fischer",
        "ZOE@example.org",
        " Zoe.Fischer ",
        "ｚｏｅ.fischer",
        "zoe@EXAMPLE.org",
        "ZOE.FISCHER",
    ]
    statuses = [(await guesser.guess(spelling)).status for spelling in spellings]
    assert statuses == [400] * USER.free + [429]
    assert (await guesser.guess(user.username, RIGHT)).status == 429


async def test_guesses_at_once_are_bounded(guarded: AuthorizationService) -> None:
    """Two hundred concurrent guesses over two processes get no more attempts than sequential ones."""
    user = await guarded.user()
    async with serve_authorization(guarded.settings, guarded.world) as other:
        guessers = [await PasswordGuesser.at(guarded, "10.4.0"), await PasswordGuesser.at(other, "10.4.1")]
        pages = await asyncio.gather(*(guessers[n % 2].guess(user.username, host=1 + n) for n in range(200)))
    assert {page.status for page in pages} <= {400, 429, 503}  # 503: no connection was free in time
    assert 0 < [page.status for page in pages].count(400) <= USER.free


async def test_an_address_that_guesses_many_names_waits(guarded: AuthorizationService) -> None:
    """An address that tries many users is throttled; the users are not."""
    guesser = await PasswordGuesser.at(guarded, "10.5.0")
    pages = [await guesser.guess(f"somebody-{n}") for n in range(60)]
    assert pages[-1].status == 429
    user = await guarded.user()
    assert (await guesser.guess(user.username, RIGHT)).status == 429
    assert (await guesser.guess(user.username, RIGHT, host=2)).status == 303


async def test_nothing_tells_whether_a_user_exists(guarded: AuthorizationService) -> None:
    """Wrong passwords, unknown, disabled and passwordless users get the same response, throttled or not."""
    wrong, disabled = await guarded.user(), await guarded.user()
    await guarded.world.stores.users.disable(disabled.user_id)
    bare: User = await guarded.world.user()
    tries = [
        (wrong.username, "wrong"),
        (f"ada-{'0' * 12}", RIGHT),
        (disabled.username, RIGHT),
        (bare.username, RIGHT),
    ]
    guesser = await PasswordGuesser.at(guarded, "10.6.0")
    for _ in range(USER.free):
        first, *others = [(name, await guesser.guess(name, password)) for name, password in tries]
        for name, page in others:
            assert page.status == first[1].status == 400
            told, told_first = without_challenge(page), without_challenge(first[1])
            assert told.replace(name, "NAME") == told_first.replace(first[0], "NAME")
            assert page.cookies == first[1].cookies == ()
            assert set(page.headers) == set(first[1].headers)
    assert {(await guesser.guess(name, password)).status for name, password in tries} == {429}


async def test_a_guessed_at_user_keeps_their_sessions(guarded: AuthorizationService) -> None:
    """A throttled user stays signed in."""
    client, user, browser = await guarded.client(), await guarded.user(), guarded.browser()
    await browser.sign_in(client, user)
    guesser = await PasswordGuesser.at(guarded, "10.7.0")
    while (await guesser.guess(user.username)).status != 429:
        pass
    assert "code" in (await browser.authorize(client, prompt="none")).answer


async def test_success_forgets_a_user_s_failures(guarded: AuthorizationService) -> None:
    """A success resets the failures."""
    user, guesser = await guarded.user(), await PasswordGuesser.at(guarded, "10.8.0")
    for _ in range(3):
        for _ in range(USER.free - 1):
            assert (await guesser.guess(user.username)).status == 400
        page = await (await PasswordGuesser.at(guarded, "10.8.0")).guess(user.username, RIGHT)
        assert page.status == 303


async def test_failures_are_audited_without_the_name_that_was_typed(guarded: AuthorizationService) -> None:
    """It may be a password in the wrong field."""
    user, guesser = await guarded.user(), await PasswordGuesser.at(guarded, "10.9.0")
    before = await guarded.world.audited("sign_in_failed")
    await guesser.guess(user.username)
    await guesser.guess("my-secret-password")
    assert await guarded.world.audited("sign_in_failed") == before + 2
    row = await guarded.world.database.row(
        "SELECT count(*) AS n FROM audit WHERE detail::text LIKE '%my-secret-password%'"
    )
    assert row is not None
    assert row["n"] == 0


async def a_known_browser(guarded: AuthorizationService, user: User, network: str) -> Browser:
    """A browser in which the user has signed in, and signed out again."""
    browser = guarded.browser()
    browser.headers = {**browser.headers, "X-Forwarded-For": f"{network}.1"}
    page = await browser.sign_in(await guarded.client(skip_consent=True), user)
    assert page.is_at_client, page.text
    return browser


async def tried(
    guarded: AuthorizationService, browser: Browser, user: User, password: str = RIGHT, **more: Any
) -> Page:
    """The answer to a password in this browser."""
    page = await browser.authorize(await guarded.client(skip_consent=True), prompt="login")
    fields = {**page.hidden, "username": user.username, "password": password}
    return await browser.request("POST", LOGIN.path, data=fields, **more)


async def _exhaust(guarded: AuthorizationService, user: User, network: str) -> None:
    guesser = await PasswordGuesser.at(guarded, network)
    while (await guesser.guess(user.username)).status != 429:
        pass


@planted(knows_no_browser)
async def test_guesses_from_elsewhere_do_not_slow_a_known_browser(guarded: AuthorizationService) -> None:
    """Nor do those of its neighbours at the same address; it has as many tries of its own as any other."""
    user = await guarded.user()
    browser = await a_known_browser(guarded, user, "10.10.0")
    await _exhaust(guarded, user, "10.10.1")
    assert (await tried(guarded, guarded.browser(), user)).status == 429
    assert (await tried(guarded, browser, user)).status == 303
    neighbour = await PasswordGuesser.at(guarded, "10.10.0")
    while (await neighbour.guess(f"nobody-{new_id()}")).status != 429:
        pass
    assert (await tried(guarded, browser, user)).status == 303
    statuses = [(await tried(guarded, browser, user, "wrong")).status for _ in range(USER.free + 1)]
    assert statuses == [400] * USER.free + [429]
    assert (await tried(guarded, browser, user)).status == 429


@planted(knows_a_browser_for_everybody)
async def test_a_browser_is_known_to_its_own_users(guarded: AuthorizationService) -> None:
    """Not to another user, and not with a cookie that somebody made up."""
    one, other = await guarded.user(), await guarded.user()
    browser = await a_known_browser(guarded, one, "10.11.0")
    await _exhaust(guarded, other, "10.11.1")
    assert (await tried(guarded, browser, other)).status == 429
    cookie = next(each for each in browser.http.cookie_jar if "known" in each.key)
    forger = guarded.browser()
    for value in (
        f"{cookie.value.partition('.')[0]}.{'A' * 22}",
        "A" * 22,
        f"{cookie.value}x",
        ".".join([cookie.value] * 9),
    ):
        forged = {"Cookie": f"{cookie.key}={value}"}
        assert (await tried(guarded, forger, other, headers=forged)).status in (403, 429)


async def test_several_users_know_a_browser(guarded: AuthorizationService) -> None:
    """The last few who signed in there."""
    users = [await guarded.user() for _ in range(MAX_USERS + 1)]
    browser = await a_known_browser(guarded, users[0], "10.12.0")
    for user in users[1:]:
        assert (await tried(guarded, browser, user)).status == 303
    for user in users:
        await _exhaust(guarded, user, "10.12.1")
    statuses = [(await tried(guarded, browser, user)).status for user in users[::-1]]
    assert statuses == [303] * MAX_USERS + [429]


@planted(knows_a_browser_for_ever)
async def test_a_new_password_makes_every_browser_a_stranger(guarded: AuthorizationService) -> None:
    """Whoever knew the old one, and has the cookie, has no tries of their own any more."""
    user = await guarded.user()
    browser = await a_known_browser(guarded, user, "10.13.0")
    await guarded.world.stores.credentials.set_password(user.user_id, PASSWORD_HASH)
    await _exhaust(guarded, user, "10.13.1")
    assert (await tried(guarded, browser, user)).status == 429


async def test_the_addresses_of_a_subscriber_count_together(guarded: AuthorizationService) -> None:
    """The first 64 bits of an IPv6 address."""
    guesser = await PasswordGuesser.at(guarded, "2001:db8:1:2:")
    pages = [await guesser.guess(f"somebody-{new_id()}", host=n) for n in range(ADDRESS.free + 1)]
    assert [page.status for page in pages] == [400] * ADDRESS.free + [429]
    another = await PasswordGuesser.at(guarded, "2001:db8:1:3:")
    assert (await another.guess(f"somebody-{new_id()}")).status == 400


@pytest.mark.parametrize(
    "fields", [{}, {"username": "ada"}, {"password": "x"}, {"username": "x" * 9000, "password": "x"}]
)
async def test_an_incomplete_form_is_asked_for_again(
    op: AuthorizationService, fields: dict[str, str]
) -> None:
    """An incomplete form gets 400, and the form again."""
    browser = op.browser()
    page = await browser.authorize(await op.client())
    page = await browser.post(LOGIN.path, {**page.hidden, **fields})
    assert page.status == 400
    assert 'id="login-submit"' in page.text


async def test_a_login_leads_nowhere_but_on(op: AuthorizationService) -> None:
    """No parameter such as `next` or `return_to` changes the target of a login."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    page = await browser.authorize(client)
    assert is_login(page)
    fields = dict.fromkeys(("next", "return_to", "redirect", "redirect_uri"), "https://evil.test/")
    fields |= {**page.hidden, "username": user.username, "password": RIGHT}
    page = await browser.request("POST", LOGIN.path, data=fields)
    assert page.location.startswith("/oidc/oauth2/auth?interaction=in_")
