"""Guessing passwords: rate limits, and no information for the guesser."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.authorization.authentication.throttling import USER
from shared.model import User
from shared.paths import LOGIN
from tests.authorization import (
    LOCAL_ISSUER,
    ON_MODULE_LOOP,
    AuthorizationService,
    Browser,
    Page,
    is_login,
    serve_authorization,
)
from tests.deployment import settings_for

pytestmark = ON_MODULE_LOOP


@pytest_asyncio.fixture(scope="module", loop_scope="module")
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
        headers = {"X-Forwarded-For": f"{self._network}.{host}"}
        return await self._browser.request("POST", LOGIN.path, data=fields, headers=headers)


def _without_challenge(page: Page) -> str:
    """The page without the challenge of a passkey, which is another one on each page."""
    return re.sub(r"(?<=&#34;challenge&#34;: &#34;)[\w-]+", "", page.text)


RIGHT = "correct horse battery staple"


async def test_the_right_password_is_refused_while_waiting(guarded: AuthorizationService) -> None:
    """After too many wrong passwords, the correct one gets 429 with Retry-After, too."""
    user, guesser = await guarded.user(), await PasswordGuesser.at(guarded, "10.1.0")
    statuses = [(await guesser.guess(user.username)).status for _ in range(11)]
    assert statuses == [400] * USER.free + [429] * (11 - USER.free)
    wrong, right = await guesser.guess(user.username), await guesser.guess(user.username, RIGHT)
    assert right.status == 429
    assert int(right.headers["Retry-After"]) > 0
    assert _without_challenge(right) == _without_challenge(wrong)


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
            told, told_first = _without_challenge(page), _without_challenge(first[1])
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
