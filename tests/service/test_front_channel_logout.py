"""Front-channel logout: the frames of the signed-out page, and its continuation."""

import re
from html import unescape
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest

from services.authorization.logout.front_channel import FrontChannel
from shared.live.randomness import new_id
from shared.oauth.client.record import Client
from shared.paths import END_SESSION, LOGOUT, LOGOUT_DONE, SELECT_ACCOUNT
from shared.server.resources import WATCH
from shared.store import Unavailable
from tests.authorization import (
    LOCAL_ISSUER,
    PASSWORD,
    AuthorizationService,
    Browser,
    Page,
    is_consent,
)
from tests.builders import an_attempt

GONE = "https://rp1.test/signed-out"


def frames(page: Page) -> list[str]:
    return [unescape(src) for src in re.findall(r'<iframe[^>]* src="([^"]*)"', page.text)]


def frame_sources(page: Page) -> set[str]:
    policy = page.headers["Content-Security-Policy"]
    found = re.search(r"frame-src ([^;]*)", policy)
    return set(found[1].split()) if found else set()


async def a_framed(op: AuthorizationService, uri: str, **fields: Any) -> Client:
    return await op.client(frontchannel_logout_uri=uri, post_logout_redirect_uris=(GONE,), **fields)


async def grant(op: AuthorizationService, browser: Browser, client: Client) -> str:
    """Let the client redeem a code of this browser's session; the session's `sid`."""
    page = await browser.authorize(client)
    if is_consent(page):
        page = await browser.decide(page)
    code, grant_id = await op.code(page), new_id()
    made = await op.world.stores.grants.redeem(
        an_attempt(grant_id), grant_id.bytes, code, code.expires_at, None
    )
    assert made
    return str(code.authorization.sid)


async def log_out(op: AuthorizationService, browser: Browser, client: Client, **parameters: str) -> Page:
    hint = await op.id_token(browser, client)
    return await browser.get(END_SESSION.path, {"id_token_hint": hint, **parameters})


@pytest.mark.point(23)
async def test_each_client_of_the_session_is_framed(op: AuthorizationService) -> None:
    """Each client is framed with `iss`, `sid` and its own query, and the page continues to the client."""
    browser = op.browser()
    one = await a_framed(op, "https://rp1.test/out?tenant=1")
    two = await a_framed(op, "http://localhost:9000/out")
    other, silent = await a_framed(op, "https://other.test/out"), await op.client()
    user = await op.user()
    await browser.sign_in(one, user)
    sid = await grant(op, browser, one)
    assert {await grant(op, browser, client) for client in (two, silent)} == {sid}
    await browser.authorize(other, prompt="none")
    page = await log_out(op, browser, one, post_logout_redirect_uri=GONE, state="bye")
    assert page.status == 200
    assert "You are signed out" in page.text
    found = {uri.partition("?")[0]: parse_qs(urlsplit(uri).query) for uri in frames(page)}
    told = {"iss": [LOCAL_ISSUER], "sid": [sid]}
    assert found == {
        "https://rp1.test/out": {"tenant": ["1"], **told},
        "http://localhost:9000/out": told,
    }
    assert frame_sources(page) == {"https://rp1.test", "http://localhost:9000"}
    assert f'href="{GONE}?state=bye"' in page.text
    assert f'data-onward="{GONE}?state=bye"' in page.text
    assert f'<noscript><meta http-equiv="refresh" content="5; url={GONE}?state=bye">' in page.text
    assert 'id="logout-continue"' in page.text
    assert "Max-Age=0" in page.cookies[0]
    assert (await browser.authorize(one, prompt="none")).answer["error"] == "login_required"


async def test_without_anywhere_to_go_the_page_goes_on_to_signed_out(op: AuthorizationService) -> None:
    """Without a return URI, the page continues to the signed-out page."""
    browser, client = op.browser(), await a_framed(op, "https://rp1.test/out")
    await browser.sign_in(client, await op.user())
    await grant(op, browser, client)
    page = await browser.post(LOGOUT.path, (await browser.get(LOGOUT.path)).hidden)
    assert len(frames(page)) == 1
    assert f'data-onward="{LOGOUT_DONE}"' in page.text
    assert f'content="5; url={LOGOUT_DONE}"' in page.text
    assert "logout-continue" not in page.text


async def test_nobody_to_frame_is_no_page(op: AuthorizationService) -> None:
    """Without a client to frame, there is no page in between."""
    browser, user = op.browser(), await op.user()
    client, disabled = (
        await op.client(post_logout_redirect_uris=(GONE,)),
        await a_framed(op, "https://d.test"),
    )
    await browser.sign_in(client, user)
    for each in (client, disabled):
        await grant(op, browser, each)
    await op.world.stores.clients.disable(disabled.client_id)
    await op.app[WATCH].poll()
    page = await log_out(op, browser, client, post_logout_redirect_uri=GONE)
    assert (page.status, page.location) == (303, GONE)


async def test_a_session_replaced_by_another_tells_nobody_in_the_front(op: AuthorizationService) -> None:
    """A second sign-out frames nothing of the first session."""
    browser, client, user = op.browser(), await a_framed(op, "https://rp1.test/out"), await op.user()
    await browser.sign_in(client, user)
    await grant(op, browser, client)
    await log_out(op, browser, client)
    await browser.sign_in(client, user)
    page = await log_out(op, browser, client, post_logout_redirect_uri=GONE)
    assert (page.status, page.location) == (303, GONE)


@pytest.mark.point(23)
async def test_everybody_of_the_browser_is_signed_out(op: AuthorizationService) -> None:
    """With several accounts, each session ends and its clients are framed."""
    browser, client = op.browser(), await a_framed(op, "https://rp1.test/out")
    first, second = await op.user(), await op.user()
    await browser.sign_in(client, first)
    sids = {await grant(op, browser, client)}
    page = await browser.authorize(client, prompt="select_account")
    page = await browser.post(SELECT_ACCOUNT.path, {**page.hidden, "account": "other"})
    page = await browser.log_in(page, second, PASSWORD)
    if is_consent(page):
        await browser.decide(page)
    sids.add(await grant(op, browser, client))
    page = await log_out(op, browser, client)
    assert {parse_qs(urlsplit(uri).query)["sid"][0] for uri in frames(page)} == sids
    assert len(sids) == 2
    ended = await op.world.database.rows(
        "SELECT FROM sessions WHERE sid = ANY($1) AND ended_at IS NULL", sids
    )
    assert ended == []


async def test_a_fault_while_looking_whom_to_tell_is_told(op: AuthorizationService) -> None:
    """If the clients cannot be read, the response is 503, and the repetition frames them."""
    browser, client = op.browser(), await a_framed(op, "https://rp1.test/out")
    await browser.sign_in(client, await op.user())
    await grant(op, browser, client)
    with patch.object(FrontChannel, "frames", side_effect=Unavailable("it is away")):
        page = await log_out(op, browser, client)
    assert page.status == 503
    assert "Signing out is not complete" in page.text
    assert (await browser.authorize(client, prompt="none")).answer["error"] == "login_required"
    assert browser.cookie("session")
    again = await browser.post(LOGOUT.path, page.hidden)
    assert len(frames(again)) == 1
    assert browser.cookie("session") is None


@pytest.mark.parametrize("uri", ["https://rp1.test/<script>", 'https://rp1.test/"onload="x'])
async def test_markup_in_a_logout_uri(op: AuthorizationService, uri: str) -> None:
    """Markup in a logout URI would be escaped, if it could be registered."""
    browser, client = op.browser(), await a_framed(op, uri)
    await browser.sign_in(client, await op.user())
    await grant(op, browser, client)
    page = await log_out(op, browser, client)
    assert "<script>" not in page.text
    assert '"onload=' not in page.text
