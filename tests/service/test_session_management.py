"""Session management: `session_state`, the cookie beside it, and the page that clients frame."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.authorization.logout.session_management import session_state
from shared.browser.cookies import SIGNED_OUT, browser_state
from shared.paths import CHECK_SESSION, END_SESSION
from tests.authorization import (
    LOCAL_ISSUER,
    AuthorizationService,
    Browser,
    serve_authorization,
)
from tests.deployment import open_world, settings_for

COOKIE = "ostiary-state-"


def calculated(browser: Browser, client_id: str, origin: str, given: str) -> str:
    """§3.2, implemented again: the value that the frame computes."""
    salt = given.partition(".")[2]
    told = f"{client_id} {origin} {browser.cookie(COOKIE)} {salt}"
    return f"{hashlib.sha256(told.encode()).hexdigest()}.{salt}"


@pytest.mark.point(25)
async def test_a_response_says_the_state_that_the_frame_will_find(op: AuthorizationService) -> None:
    """Another salt each time, the same state; after logout another one."""
    client, browser = await op.client(), op.browser()
    first = (await browser.sign_in(client, await op.user())).answer["session_state"]
    second = (await browser.authorize(client, prompt="none")).answer["session_state"]
    assert first != second
    assert "=" not in first
    assert " " not in first
    for given in (first, second):
        assert calculated(browser, client.client_id, "https://rp1.test", given) == given
        assert calculated(browser, client.client_id, "https://evil.test", given) != given
        assert calculated(browser, "another", "https://rp1.test", given) != given
    await browser.get(END_SESSION.path, {"id_token_hint": await op.id_token(browser, client)})
    assert browser.cookie(COOKIE) == SIGNED_OUT
    assert calculated(browser, client.client_id, "https://rp1.test", second) != second


@pytest.mark.point(25)
async def test_another_sign_in_is_another_state(op: AuthorizationService) -> None:
    """Of another user, of the same one, and of one chosen among several."""
    client, browser, user = await op.client(), op.browser(), await op.user()
    seen = set()
    for each in (user, user, await op.user()):
        await browser.log_in(await browser.authorize(client, prompt="login"), each)
        seen.add(browser.cookie(COOKIE))
    assert len(seen) == 3


async def test_the_cookie_is_for_scripts_and_frames_and_worth_nothing(op: AuthorizationService) -> None:
    """SameSite=None and Secure, not HttpOnly; the session's own cookie stays as it was."""
    client, browser = await op.client(), op.browser()
    page = await browser.authorize(client)
    user = await op.user()
    page = await browser.request("POST", "/oidc/login", data={**page.hidden, "username": user.username,
                                 "password": "correct horse battery staple"})  # fmt: skip
    (state,) = (cookie for cookie in page.cookies if cookie.startswith(COOKIE))
    (session,) = (cookie for cookie in page.cookies if cookie.startswith("ostiary-session-"))
    assert "SameSite=None" in state
    assert "Secure" in state
    assert "HttpOnly" not in state
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    thief = op.browser(has_jar=False)
    value = state.partition("=")[2].partition(";")[0]
    thief.headers = {"Cookie": f"{session.partition('=')[0]}={value}; {state.partition(';')[0]}"}
    assert (await thief.authorize(client, prompt="none")).answer["error"] == "login_required"


async def test_without_openid_there_is_none(op: AuthorizationService) -> None:
    """It belongs to authentication responses."""
    client, browser, user = await op.client(skip_consent=True), op.browser(), await op.user()
    await browser.sign_in(client, user)
    assert "session_state" not in (await browser.authorize(client, scope="email")).answer


@pytest.mark.point(25)
async def test_any_site_may_frame_the_page_and_nothing_else_of_us(op: AuthorizationService) -> None:
    """Only this page may be framed by any site; it has no form and is the same for everyone."""
    page = await op.browser().request("GET", CHECK_SESSION.path)
    assert page.status == 200
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors *" in policy
    assert "default-src 'none'; script-src 'self'" in policy
    assert "X-Frame-Options" not in page.headers
    assert page.cookies == ()
    assert f'data-cookie="{COOKIE}' in page.text
    signed_in = op.browser()
    await signed_in.sign_in(await op.client(), await op.user())
    assert (await signed_in.request("GET", CHECK_SESSION.path)).text == page.text


@pytest.mark.parametrize(
    ("redirect_uri", "origin"),
    [
        ("https://rp.test:443/cb", "https://rp.test"),
        ("http://127.0.0.1:9000/cb", "http://127.0.0.1:9000"),
        ("https://RP.test/", "https://rp.test"),
    ],
)
async def test_the_origin_is_what_a_browser_calls_it(redirect_uri: str, origin: str) -> None:
    """§3.2: that of the page that asks."""
    state = browser_state(b"k" * 32)
    expected = hashlib.sha256(f"rp {origin} {state} salt".encode()).hexdigest()
    assert session_state("rp", redirect_uri, state, "salt") == f"{expected}.salt"


async def test_an_app_has_no_page_to_frame_ours() -> None:
    """A private-use scheme has no origin."""
    assert session_state("rp", "com.example.app:/cb", "state", "salt") is None


@asynccontextmanager
async def _without(database_url: str, redis_url: str) -> AsyncIterator[AuthorizationService]:
    settings = settings_for(
        database_url, redis_url, issuer=LOCAL_ISSUER, rate_limits="off", session_management="off"
    )
    async with open_world(settings) as world, serve_authorization(settings, world) as service:
        yield service


@pytest.mark.point(25)
async def test_it_can_be_switched_off(module_database_url: str, module_redis_url: str) -> None:
    """No parameter, no cookie, no page."""
    async with _without(module_database_url, module_redis_url) as op:
        client, browser = await op.client(), op.browser()
        page = await browser.sign_in(client, await op.user())
        assert "session_state" not in page.answer
        assert browser.cookie(COOKIE) is None
        assert (await browser.get(CHECK_SESSION.path)).status == 404
