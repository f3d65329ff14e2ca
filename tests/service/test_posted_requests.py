"""Requests by POST: limits on stored requests, and requests that are too long for a URI."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from services.authorization.request.posted import MAX_QUERY, POSTED
from shared.paths import AUTHORIZATION, END_SESSION, LOGOUT
from tests.authorization import (
    LOCAL_ISSUER,
    STATE,
    AuthorizationService,
    a_request,
    is_error_page,
    is_login,
    serve_authorization,
)
from tests.deployment import settings_for
from tests.planted import planted
from tests.planted.browser import stores_whatever_is_posted

GONE = "https://rp1.test/signed-out"
MANY = 150


@pytest_asyncio.fixture(scope="module")
async def limited(
    op: AuthorizationService, module_database_url: str, module_redis_url: str
) -> AsyncIterator[AuthorizationService]:
    """The same service with rate limits."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER)
    async with serve_authorization(settings, op.world) as service:
        yield service


async def _keys(op: AuthorizationService) -> int:
    assert op.settings.redis_url
    redis = Redis.from_url(op.settings.redis_url.get_secret_value())
    try:
        return len([key async for key in redis.scan_iter("{interaction:*")])
    finally:
        await redis.aclose()


@planted(stores_whatever_is_posted)
async def test_nothing_is_stored_before_a_browser_comes_back(op: AuthorizationService) -> None:
    """The redirect carries the request, as it was sent."""
    client, before = await op.client(), await _keys(op)
    request = a_request(client, state="s & é", login_hint="ada@example.org")
    page = await op.browser().request("POST", AUTHORIZATION.path, data={**request, "unknown": "x"})
    assert page.status == 303
    assert dict(parse_qsl(urlsplit(page.location).query)) == request
    assert await _keys(op) == before


@planted(stores_whatever_is_posted)
async def test_long_requests_of_an_address_are_limited(limited: AuthorizationService) -> None:
    """Only a few long requests of an address are stored; short requests are not limited."""
    client, stranger, before = await limited.client(), limited.browser(), await _keys(limited)
    request = a_request(client, login_hint="x" * 15_000)
    pages = [await stranger.request("POST", AUTHORIZATION.path, data=request) for _ in range(MANY)]
    assert {page.status for page in pages} == {303, 429}
    assert pages[-1].status == 429
    assert is_error_page(pages[-1])
    assert "Retry-After" in pages[-1].headers
    assert await _keys(limited) - before == [page.status for page in pages].count(303) < MANY / 4
    assert (await stranger.request("POST", AUTHORIZATION.path, data=a_request(client))).status == 303


async def test_a_long_request_is_answered(op: AuthorizationService) -> None:
    """A long request is stored under a handle, which is not an interaction and can be reloaded."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    request = a_request(client, login_hint="ä" * MAX_QUERY)
    posted = await op.browser().request("POST", AUTHORIZATION.path, data=request)
    handle = dict(parse_qsl(urlsplit(posted.location).query))[POSTED]
    assert handle.startswith("po_")
    assert is_error_page(await browser.get(AUTHORIZATION.path, {"interaction": handle}))
    assert is_login(await browser.follow(posted))
    page = await browser.log_in(await browser.follow(posted), user)
    assert (await browser.decide(page)).answer["state"] == STATE


@pytest.mark.parametrize("handle", ["", "po_", "po_" + "A" * 43, "in_" + "A" * 43, "é"])
@pytest.mark.parametrize("path", [AUTHORIZATION.path, END_SESSION.path])
async def test_a_posted_request_that_is_none(op: AuthorizationService, path: str, handle: str) -> None:
    """An unknown stored request gives an error page, or the confirmation of a logout."""
    page = await op.browser().get(path, {POSTED: handle})
    assert is_error_page(page) or (path == END_SESSION.path and not handle)


@pytest.mark.parametrize("has_cookie", [True, False])
async def test_a_posted_logout_with_a_long_id_token(op: AuthorizationService, has_cookie: bool) -> None:
    """A logout of 10 kB is handled directly with a cookie, and stored for the redirect without one."""
    client, browser = await op.client(post_logout_redirect_uris=(GONE,)), op.browser()
    await browser.sign_in(client, await op.user())
    hint = await op.id_token(browser, client, picture="x" * 9000)
    assert len(hint) > 10_000
    request = {"id_token_hint": hint, "post_logout_redirect_uri": GONE, "state": "bye"}
    sender = browser if has_cookie else op.browser()
    page = await sender.request("POST", END_SESSION.path, data=request)
    assert len(page.location) < MAX_QUERY
    assert page.location.startswith(GONE) == has_cookie
    page = await browser.follow(page)
    assert page.location == f"{GONE}?state=bye"
    assert (await browser.authorize(client, prompt="none")).answer["error"] == "login_required"
    assert page.path != LOGOUT.path
