"""Cookies that another site of the domain, or another path of the host, has set."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.model import User
from shared.oauth.client.record import Client
from shared.oauth.tokens.handle import digest
from shared.paths import AUTHORIZATION, END_SESSION, LOGIN, LOGOUT, LOGOUT_DONE
from tests.authorization import (
    PASSWORD,
    AuthorizationService,
    Browser,
    Page,
    a_request,
    is_error_page,
    is_login,
    serve_authorization,
)
from tests.deployment import settings_for
from tests.planted import planted
from tests.planted.browser import takes_the_last_cookie, trims_every_space

OP = AuthorizationService


@pytest_asyncio.fixture(scope="module")
async def secure(op: OP, module_database_url: str, module_redis_url: str) -> AsyncIterator[OP]:
    """The same world behind an https issuer."""
    settings = settings_for(module_database_url, module_redis_url, rate_limits="off")
    async with serve_authorization(settings, op.world) as service:
        yield service


@pytest.fixture(scope="module")
def op(authorization_service: OP) -> OP:
    """A service whose issuer is http."""
    return authorization_service


def with_cookies(op: OP, *cookies: str) -> Browser:
    """A browser that sends these cookies and keeps none."""
    browser = op.browser(has_jar=False)
    browser.headers = {**browser.headers, "Cookie": "; ".join(cookies)}
    return browser


async def session_cookie(op: OP, client: Client, user: User) -> str:
    """The cookie of a new session of *user*, in a browser that keeps `Secure` cookies."""
    page = await op.browser(has_jar=False).request("GET", AUTHORIZATION.path, params=a_request(client))
    browser = with_cookies(op, page.cookies[0].partition(";")[0])
    login = await browser.request("GET", page.location)
    fields = {**login.hidden, "username": user.username, "password": PASSWORD}
    page = await browser.request("POST", LOGIN.path, data=fields)
    return page.cookies[0].partition(";")[0]


async def asked_of(op: OP, client: Client, *cookies: str) -> Page:
    """The answer to `prompt=none` for a browser with these cookies."""
    return await with_cookies(op, *cookies).authorize(client, prompt="none")


@planted(trims_every_space)
@pytest.mark.parametrize("space", ["\u2000", "\u00a0", "\u0085"])
@pytest.mark.parametrize("is_last", [True, False])
async def test_a_name_with_a_space_before_it_is_another(secure: OP, space: str, is_last: bool) -> None:
    """A cookie that any site of the domain may set signs nobody in, and does not replace the real one."""
    client, victim, thief = await secure.client(skip_consent=True), await secure.user(), await secure.user()
    own = await session_cookie(secure, client, victim)
    planted_one = space + await session_cookie(secure, client, thief)
    assert own.startswith("__Host-")
    assert (await asked_of(secure, client, planted_one)).answer["error"] == "login_required"
    code = await secure.code(
        await asked_of(secure, client, *([own, planted_one] if is_last else [planted_one, own]))
    )
    assert code.authorization.user_id == victim.user_id


@planted(takes_the_last_cookie)
@pytest.mark.parametrize("is_last", [True, False])
async def test_a_host_cookie_that_comes_twice_is_refused(secure: OP, is_last: bool) -> None:
    """Of two cookies, which no browser sends, neither counts, and logging out does not claim success."""
    client = await secure.client(skip_consent=True)
    one, two = [await session_cookie(secure, client, await secure.user()) for _ in range(2)]
    cookies = (one, two) if is_last else (two, one)
    assert is_error_page(await asked_of(secure, client, *cookies))
    assert is_error_page(await with_cookies(secure, *cookies).get(LOGOUT.path))


@planted(takes_the_last_cookie)
@pytest.mark.parametrize("is_last", [True, False])
async def test_of_two_living_sessions_of_an_http_issuer_none_counts(op: OP, is_last: bool) -> None:
    """If another path of the host sets a second cookie, nobody is signed in until the next sign-in."""
    client, victim, thief = await op.client(skip_consent=True), await op.user(), await op.user()
    own, other = await session_cookie(op, client, victim), await session_cookie(op, client, thief)
    cookies = (own, other) if is_last else (other, own)
    assert (await asked_of(op, client, *cookies)).answer["error"] == "login_required"
    assert "code" in (await asked_of(op, client, own)).answer


@planted(takes_the_last_cookie)
@pytest.mark.parametrize("place", range(3))
async def test_the_only_living_session_counts(op: OP, place: int) -> None:
    """The live session counts beside up to three dead cookies."""
    client, victim = await op.client(skip_consent=True), await op.user()
    own = await session_cookie(op, client, victim)
    name = own.partition("=")[0]
    cookies = [f"{name}=se_{letter * 43}" for letter in "abcd"]
    cookies[place] = own
    code = await op.code(await asked_of(op, client, *cookies))
    assert code.authorization.user_id == victim.user_id
    fifth = f"{name}=se_{'e' * 43}"
    assert (await asked_of(op, client, *cookies, fifth)).answer["error"] == "login_required"


@planted(takes_the_last_cookie)
@pytest.mark.parametrize("is_last", [True, False])
async def test_the_next_sign_in_replaces_what_was_planted(op: OP, is_last: bool) -> None:
    """The planted session ends, so the new one is the only live one although the cookie is still sent."""
    client, victim, thief = await op.client(skip_consent=True), await op.user(), await op.user()
    own, other = await session_cookie(op, client, victim), await session_cookie(op, client, thief)
    name, jar = own.partition("=")[0], op.browser()
    page = await jar.authorize(client)
    binding = next(f"{cookie.key}={cookie.value}" for cookie in jar.http.cookie_jar)
    both = with_cookies(op, *((own, other) if is_last else (other, own)), binding)
    fields = {**page.hidden, "username": victim.username, "password": PASSWORD}
    signed_in = await both.request("POST", LOGIN.path, data=fields)
    fresh = next(cookie for cookie in signed_in.cookies if cookie.startswith(f"{name}=")).partition(";")[0]
    code = await op.code(await asked_of(op, client, *((fresh, other) if is_last else (other, fresh))))
    assert code.authorization.user_id == victim.user_id
    assert (await asked_of(op, client, other)).answer["error"] == "login_required"


async def test_logging_out_ends_every_presented_session(op: OP) -> None:
    """A logout deletes every cookie of an http issuer."""
    client = await op.client(skip_consent=True)
    cookies = [await session_cookie(op, client, await op.user()) for _ in range(2)]
    both = with_cookies(op, *cookies)
    page = await both.get(END_SESSION.path)
    page = await both.post(LOGOUT.path, page.hidden)
    assert page.path == LOGOUT_DONE.path
    for cookie in cookies:
        assert await op.world.stores.sessions.owner(digest(cookie.partition("=")[2])) is None


async def test_a_browser_cookie_has_the_name_of_its_handle(op: OP) -> None:
    """A handle in a cookie of another name does not count."""
    client, browser = await op.client(), op.browser()
    page = await browser.authorize(client)
    (cookie,) = browser.http.cookie_jar
    name = cookie.key.replace(cookie.key.split("-")[2], "00000000")
    for pair, status in ((f"{cookie.key}={cookie.value}", 200), (f"{name}={cookie.value}", 403)):
        assert (await with_cookies(op, pair).get(LOGIN.path, page.hidden)).status == status
    assert is_login(page)
