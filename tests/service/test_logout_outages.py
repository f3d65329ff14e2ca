"""Logout while a store is down: nothing is acknowledged before it is committed, and it can be repeated."""

from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import pytest

from shared.oauth.client.record import Client
from shared.oauth.tokens.handle import digest
from shared.paths import END_SESSION, LOGOUT, LOGOUT_DONE, SELECT_ACCOUNT
from shared.store import OutcomeUnknown
from shared.store.postgres.sessions import PostgresSessionRows
from tests.authorization import AuthorizationService, Browser, Page
from tests.outages import POSTGRESQL, REDIS, away, is_away
from tests.planted import planted
from tests.planted.browser import believes_redis_about_the_end, forgets_before_the_end

GONE = "https://rp1.test/signed-out"
FRAMED = "https://rp1.test/out"


def copy_of(op: AuthorizationService, browser: Browser) -> Browser:
    """Another browser with the same cookies, which it keeps."""
    copy = op.browser(has_jar=False)
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.http.cookie_jar)
    copy.headers = {**copy.headers, "Cookie": cookies}
    return copy


async def is_alive(browser: Browser, client: Client) -> bool:
    return "code" in (await browser.authorize(client, prompt="none")).answer


async def ask(browser: Browser, way: str, request: Mapping[str, str]) -> Page:
    """Ask to be signed out."""
    match way:
        case "hint":
            return await browser.get(END_SESSION.path, request)
        case "form":
            return await browser.post(END_SESSION.path, request)
        case "own":
            page = await browser.get(LOGOUT.path)
        case _:
            wanted = {name: value for name, value in request.items() if name != "id_token_hint"}
            page = await browser.get(END_SESSION.path, wanted)
    return await browser.post(LOGOUT.path, page.hidden) if page.status == 200 else page


def is_incomplete(page: Page) -> bool:
    """Expect 503 with a form to try again, and no deleted cookie, frame or redirect."""
    return (
        is_away(page)
        and "Signing out is not complete" in page.text
        and 'id="logout-confirm"' in page.text
        and "<iframe" not in page.text
    )


@planted(forgets_before_the_end)
@pytest.mark.parametrize("way", ["hint", "form", "question", "own"])
async def test_a_logout_that_is_not_committed_is_not_told(op: AuthorizationService, way: str) -> None:
    """503 while PostgreSQL is down; afterwards the same page ends the session."""
    client = await op.client(post_logout_redirect_uris=(GONE,), frontchannel_logout_uri=FRAMED)
    browser = op.browser()
    await browser.sign_in(client, await op.user())
    request = {
        "id_token_hint": await op.id_token(browser, client),
        "client_id": client.client_id,
        "post_logout_redirect_uri": GONE,
        "state": "bye",
    }
    copy = copy_of(op, browser)
    async with away(op, POSTGRESQL):
        page = await ask(browser, way, request)
        assert is_incomplete(page)
        page = await browser.post(LOGOUT.path, page.hidden)
        assert is_incomplete(page)
    assert await is_alive(copy, client)
    assert await is_alive(browser, client)
    done = await browser.post(LOGOUT.path, page.hidden)
    assert done.path == LOGOUT_DONE.path if way == "own" else done.location == f"{GONE}?state=bye"
    assert browser.cookie("session") is None
    assert not await is_alive(copy, client)


@planted(forgets_before_the_end)
@pytest.mark.parametrize("way", ["hint", "form"])
async def test_a_repeated_request_ends_the_session(op: AuthorizationService, way: str) -> None:
    """A repeated request of the client redirects only after the session has ended."""
    client, browser = await op.client(post_logout_redirect_uris=(GONE,)), op.browser()
    await browser.sign_in(client, await op.user())
    hint, copy = await op.id_token(browser, client), copy_of(op, browser)
    request = {"id_token_hint": hint, "post_logout_redirect_uri": GONE}
    async with away(op, POSTGRESQL):
        assert is_incomplete(await ask(browser, way, request))
    assert (await ask(browser, way, request)).location == GONE
    assert not await is_alive(copy, client)


@planted(believes_redis_about_the_end)
async def test_a_session_that_redis_forgot_may_live(
    op: AuthorizationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While PostgreSQL is down, an unknown session is not acknowledged as ended; it ends afterwards."""
    monkeypatch.setattr("shared.live.watch.TRUSTED_FOR", float("inf"))  # the client is known throughout
    client, browser = await op.client(post_logout_redirect_uris=(GONE,)), op.browser()
    await browser.sign_in(client, await op.user())
    hint, key = await op.id_token(browser, client), digest(browser.cookie("session") or "")
    await op.world.stores.sessions._contents.drop(key)  # type: ignore[attr-defined]  # the store's other half
    request = {"id_token_hint": hint, "post_logout_redirect_uri": GONE}
    async with away(op, POSTGRESQL):
        assert is_incomplete(await browser.get(END_SESSION.path, request))
    assert (await browser.get(END_SESSION.path, request)).location == GONE
    assert await op.world.stores.sessions.owner(key) is None


@planted(forgets_before_the_end)
@pytest.mark.parametrize("is_committed", [True, False])
async def test_an_unknown_outcome_is_not_complete(op: AuthorizationService, is_committed: bool) -> None:
    """An unknown outcome is 503, and a repetition is acknowledged once the end is certain."""
    client, browser = await op.client(post_logout_redirect_uris=(GONE,)), op.browser()
    await browser.sign_in(client, await op.user())
    request = {"id_token_hint": await op.id_token(browser, client), "post_logout_redirect_uri": GONE}
    copy, end = copy_of(op, browser), PostgresSessionRows.end

    async def unknown(self: PostgresSessionRows, *which: Any) -> Any:
        if is_committed:
            await end(self, *which)
        raise OutcomeUnknown("the answer was lost")

    with patch.object(PostgresSessionRows, "end", unknown):
        assert is_incomplete(await browser.get(END_SESSION.path, request))
    assert await is_alive(copy, client) is not is_committed
    assert browser.cookie("session")
    assert (await browser.get(END_SESSION.path, request)).location == GONE
    assert not await is_alive(copy, client)


@planted(forgets_before_the_end)
async def test_some_accounts_of_a_browser_have_ended(op: AuthorizationService) -> None:
    """If the second end fails, the browser keeps both cookies, and a repetition ends the other session."""
    client, browser = await op.client(skip_consent=True), op.browser()
    await browser.sign_in(client, await op.user())
    page = await browser.authorize(client, prompt="select_account")
    page = await browser.post(SELECT_ACCOUNT.path, {**page.hidden, "account": "other"})
    await browser.log_in(page, await op.user())
    handles = [browser.cookie("session") or "", browser.cookie("accounts") or ""]
    end, ended = PostgresSessionRows.end, 0

    async def only_the_first(self: PostgresSessionRows, *which: Any) -> Any:
        nonlocal ended
        ended += 1
        if ended > 1:
            raise OutcomeUnknown("it is away")
        return await end(self, *which)

    page = await browser.get(LOGOUT.path)
    with patch.object(PostgresSessionRows, "end", only_the_first):
        page = await browser.post(LOGOUT.path, page.hidden)
    assert is_incomplete(page)
    assert [browser.cookie("session"), browser.cookie("accounts")] == handles
    page = await browser.post(LOGOUT.path, page.hidden)
    assert page.path == LOGOUT_DONE.path
    assert [await op.world.stores.sessions.owner(digest(handle)) for handle in handles] == [None, None]


async def test_logout_without_redis(op: AuthorizationService) -> None:
    """Logout works without Redis, and the old cookie stays invalid afterwards."""
    client, browser = await op.client(), op.browser()
    await browser.sign_in(client, await op.user())
    copy = copy_of(op, browser)
    async with away(op, REDIS):
        page = await browser.get(END_SESSION.path)
        page = await browser.post(LOGOUT.path, page.hidden)
        assert (page.status, page.path) == (200, LOGOUT_DONE.path)
    assert not await is_alive(copy, client)


@planted(forgets_before_the_end)
async def test_logout_without_any_store(op: AuthorizationService) -> None:
    """503, and nothing has changed."""
    client, browser = await op.client(), op.browser()
    await browser.sign_in(client, await op.user())
    async with away(op, REDIS, POSTGRESQL):
        assert is_incomplete(await browser.get(END_SESSION.path))
    assert await is_alive(browser, client)
