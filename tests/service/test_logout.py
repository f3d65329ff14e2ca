"""RP-initiated logout: ends of sessions, confirmations, and redirects."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock, patch
from urllib.parse import urlsplit

import pytest

from services.worker.logout.notices import NoticeDelivery
from shared.oauth.client.record import Client
from shared.paths import END_SESSION, LOGOUT, LOGOUT_DONE
from tests.authorization import AuthorizationService, Browser, Page, is_error_page
from tests.deployment import serve_tokens

GONE = "https://rp1.test/signed-out"
EVIL = "https://evil.test/signed-out"
STATE = "s & <ü>"


def is_question(page: Page) -> bool:
    return page.status == 200 and 'id="logout-confirm"' in page.text


async def a_client(op: AuthorizationService, **fields: Any) -> Client:
    return await op.client(**{"post_logout_redirect_uris": (GONE,), **fields})


async def is_signed_in(browser: Browser, client: Client) -> bool:
    return "code" in (await browser.authorize(client, prompt="none")).answer


@pytest.mark.point(22)
async def test_a_good_hint_ends_the_session_and_leads_back(op: AuthorizationService) -> None:
    """§2 and §3: the registered URI with `state` and nothing else; the cookie is cleared, the act audited."""
    client, browser = await a_client(op), op.browser()
    await browser.sign_in(client, await op.user())
    hint, ended = await op.id_token(browser, client), await op.world.audited("session_ended")
    parameters = {"id_token_hint": hint, "post_logout_redirect_uri": GONE, "state": STATE}
    page = await browser.request("GET", END_SESSION.path, params=parameters)
    assert page.status == 303
    assert page.location.startswith(f"{GONE}?state=")
    assert page.answer == {"state": STATE}
    assert "Max-Age=0" in page.cookies[0]
    assert browser.cookie("session") is None
    assert not await is_signed_in(browser, client)
    assert await op.world.audited("session_ended") == ended + 1


@pytest.mark.point(22)
async def test_by_form_too(op: AuthorizationService) -> None:
    """§2: POST, answered 303 to itself so that the cookie comes along."""
    client, browser = await a_client(op), op.browser()
    await browser.sign_in(client, await op.user())
    hint = await op.id_token(browser, client)
    page = await op.browser().request(
        "POST", END_SESSION.path, data={"id_token_hint": hint, "post_logout_redirect_uri": GONE}
    )
    assert urlsplit(page.location).path == END_SESSION.path
    assert (await browser.follow(page)).location == GONE
    assert not await is_signed_in(browser, client)


@pytest.mark.point(22)
async def test_the_old_cookie_is_dead_after_logout(op: AuthorizationService) -> None:
    """The old cookie is invalid after a logout, also in another browser."""
    client, browser = await a_client(op), op.browser()
    await browser.sign_in(client, await op.user())
    thief = op.browser(has_jar=False)
    thief.headers = {"Cookie": "; ".join(f"{c.key}={c.value}" for c in browser.http.cookie_jar)}
    assert await is_signed_in(thief, client)
    await browser.get(END_SESSION.path, {"id_token_hint": await op.id_token(browser, client)})
    assert not await is_signed_in(thief, client)


@pytest.mark.point(22)
async def test_without_parameters_somebody_is_asked(op: AuthorizationService) -> None:
    """Without parameters, a confirmation and then the signed-out page are shown."""
    client, user, browser = await a_client(op), await op.user(), op.browser()
    await browser.sign_in(client, user)
    page = await browser.get(END_SESSION.path)
    assert is_question(page)
    assert user.username in page.text
    assert await is_signed_in(browser, client)
    page = await browser.post(LOGOUT.path, page.hidden)
    assert page.path == LOGOUT_DONE.path
    assert "You are signed out" in page.text
    assert not await is_signed_in(browser, client)


@pytest.mark.point(22)
async def test_without_a_hint_the_client_gets_its_user_back_after_the_question(
    op: AuthorizationService,
) -> None:
    """With only a `client_id`, the user is asked and then returns to a registered URI."""
    client, browser = await a_client(op), op.browser()
    await browser.sign_in(client, await op.user())
    parameters = {"client_id": client.client_id, "post_logout_redirect_uri": GONE, "state": STATE}
    page = await browser.get(END_SESSION.path, parameters)
    assert is_question(page)
    page = await browser.post(LOGOUT.path, page.hidden)
    assert page.answer == {"state": STATE}


FORGED = [
    {"iss": "https://evil.test/oidc"},
    {"typ": "logout+jwt"},
    {"typ": "at+jwt"},
    {"events": {}},
    {"sid": "6f1f3c5e-0000-4000-8000-000000000000"},
]


@pytest.mark.point(22)
@pytest.mark.parametrize(
    ("claims", "has_client_id"),
    [*((claims, has_client_id) for claims in FORGED for has_client_id in (True, False)),
     ({"aud": ["another-client"]}, True)],
    ids=str,
)  # fmt: skip
async def test_a_hint_of_something_else_ends_nothing(
    op: AuthorizationService, claims: dict[str, Any], has_client_id: bool
) -> None:
    """Hints of another issuer, session, client or type end nothing without a confirmation."""
    client, browser = await a_client(op), op.browser()
    await browser.sign_in(client, await op.user())
    parameters = {
        "id_token_hint": await op.id_token(browser, client, **claims),
        "post_logout_redirect_uri": GONE,
    }
    if has_client_id:
        parameters["client_id"] = client.client_id
    page = await browser.get(END_SESSION.path, parameters)
    assert is_question(page)
    assert await is_signed_in(browser, client)
    page = await browser.post(LOGOUT.path, page.hidden)
    assert (page.location == GONE) is ("sid" in claims)
    assert (page.path == LOGOUT_DONE.path) is ("sid" not in claims)


@pytest.mark.parametrize("has_client_id", [True, False])
async def test_another_user_s_hint_ends_nothing(op: AuthorizationService, has_client_id: bool) -> None:
    """A genuine hint of another user ends nothing without a confirmation."""
    client, browser, other = await a_client(op), op.browser(), op.browser()
    await browser.sign_in(client, await op.user())
    await other.sign_in(client, await op.user())
    parameters = {"id_token_hint": await op.id_token(other, client), "post_logout_redirect_uri": GONE}
    if has_client_id:
        parameters["client_id"] = client.client_id
    assert is_question(await browser.get(END_SESSION.path, parameters))
    assert await is_signed_in(browser, client)
    assert await is_signed_in(other, client)


async def test_the_next_user_of_the_browser_has_a_session_of_their_own(op: AuthorizationService) -> None:
    """The next user gets a new session; only the browser's own cookie is reused."""
    client, browser = await op.client(), op.browser()
    sids, handles = set(), set()
    for _ in range(3):
        code = await op.code(await browser.sign_in(client, await op.user()))
        sids.add(code.authorization.sid)
        handles.add(browser.cookie("session"))
        await browser.post(LOGOUT.path, (await browser.get(LOGOUT.path)).hidden)
    assert (len(sids), len(handles)) == (3, 3)


@pytest.mark.point(22)
@pytest.mark.parametrize("hint", ["bogus", "eyJhbGciOiJub25lIn0.e30.", "a.b.c", "x" * 5000])
async def test_a_hint_that_is_no_token_leads_nowhere(op: AuthorizationService, hint: str) -> None:
    """A malformed hint never leads to a redirect."""
    client, browser = await a_client(op), op.browser()
    parameters = {"id_token_hint": hint, "client_id": client.client_id, "post_logout_redirect_uri": GONE}
    assert is_question(await op.browser().get(END_SESSION.path, parameters))
    await browser.sign_in(client, await op.user())
    page = await browser.get(END_SESSION.path, parameters)
    assert is_question(page)
    page = await browser.post(LOGOUT.path, page.hidden)
    assert page.path == LOGOUT_DONE.path


@pytest.mark.point(22)
async def test_an_altered_signature_ends_nothing(op: AuthorizationService) -> None:
    """A token altered after signing ends nothing."""
    client, browser = await a_client(op), op.browser()
    await browser.sign_in(client, await op.user())
    hint = await op.id_token(browser, client)
    page = await browser.get(END_SESSION.path, {"id_token_hint": hint[:-4] + "AAAA"})
    assert is_question(page)
    assert await is_signed_in(browser, client)


@pytest.mark.point(22)
@pytest.mark.parametrize(
    "uri",
    [
        EVIL,
        GONE + "/",
        GONE + "x",
        GONE + "?x=1",
        GONE[:-1],
        "//evil.test",
        "/\\evil.test",
        "javascript:alert(1)",
        "https:evil.test",
        "http://rp1.test/signed-out",
        GONE.upper(),
        GONE + "#x",
        '"><script>alert(1)</script>',
    ],
)
@pytest.mark.parametrize("proof", ["hint", "client_id", "none"])
async def test_nobody_is_led_to_a_uri_that_is_not_registered(
    op: AuthorizationService, uri: str, proof: str
) -> None:
    """§3: an unregistered URI is never redirected to, and the user is asked."""
    client, browser = await a_client(op), op.browser()
    await browser.sign_in(client, await op.user())
    parameters = {"post_logout_redirect_uri": uri, "state": "x"}
    if proof == "hint":
        parameters["id_token_hint"] = await op.id_token(browser, client)
    elif proof == "client_id":
        parameters["client_id"] = client.client_id
    page = await browser.get(END_SESSION.path, parameters)
    assert "<script>alert" not in page.text
    assert is_question(page)
    assert await is_signed_in(browser, client)
    page = await browser.post(LOGOUT.path, {**page.hidden, **parameters})
    assert page.path == LOGOUT_DONE.path


@pytest.mark.point(22)
async def test_the_uri_of_another_client(op: AuthorizationService) -> None:
    """A URI of another client, or without a known client, is not used."""
    client, other, browser = await op.client(), await a_client(op), op.browser()
    await browser.sign_in(client, await op.user())
    hint = await op.id_token(browser, client)
    assert other.post_logout_redirect_uris == (GONE,)
    page = await browser.get(END_SESSION.path, {"id_token_hint": hint, "post_logout_redirect_uri": GONE})
    assert is_question(page)
    assert is_question(await browser.get(END_SESSION.path, {"post_logout_redirect_uri": GONE}))


@pytest.mark.parametrize("token", ["", "0" * 64, "é", "theirs"])
async def test_a_confirmation_needs_the_token_of_this_session(op: AuthorizationService, token: str) -> None:
    """Forced logout: 403, and the session lives."""
    client, browser, attacker = await a_client(op), op.browser(), op.browser()
    await browser.sign_in(client, await op.user())
    await attacker.sign_in(client, await op.user())
    if token == "theirs":
        token = (await attacker.get(LOGOUT.path)).hidden["form_token"]
    page = await browser.post(LOGOUT.path, {"form_token": token})
    assert page.status == 403
    assert is_error_page(page)
    assert await is_signed_in(browser, client)


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}], ids=str
)
async def test_a_confirmation_of_another_site(op: AuthorizationService, headers: dict[str, str]) -> None:
    """403, even with the right token."""
    client, browser = await a_client(op), op.browser()
    await browser.sign_in(client, await op.user())
    page = await browser.get(LOGOUT.path)
    assert (await browser.post(LOGOUT.path, page.hidden, headers=headers)).status == 403
    assert await is_signed_in(browser, client)


async def test_an_older_session_s_hint_asks(op: AuthorizationService) -> None:
    """A hint of an ended session does not end the current one."""
    client, user, browser = await a_client(op), await op.user(), op.browser()
    await browser.sign_in(client, user)
    hint = await op.id_token(browser, client)
    await browser.get(END_SESSION.path, {"id_token_hint": hint})
    await browser.sign_in(client, user)
    assert is_question(await browser.get(END_SESSION.path, {"id_token_hint": hint}))
    assert await is_signed_in(browser, client)


@pytest.mark.point(22)
async def test_signing_out_twice(op: AuthorizationService) -> None:
    """Signing out twice always has the same result."""
    client, browser = await a_client(op), op.browser()
    await browser.sign_in(client, await op.user())
    parameters = {"id_token_hint": await op.id_token(browser, client), "post_logout_redirect_uri": GONE}
    question = await browser.get(LOGOUT.path)
    pages = await asyncio.gather(*(browser.post(LOGOUT.path, question.hidden) for _ in range(5)))
    assert all(page.path == LOGOUT_DONE.path or page.status == 403 for page in pages)
    assert pages[0].path == LOGOUT_DONE.path
    assert (await browser.get(END_SESSION.path, parameters)).location == GONE
    assert is_question(await browser.get(END_SESSION.path))


@pytest.mark.parametrize("name", ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_repeated_parameters(op: AuthorizationService, name: str, method: str) -> None:
    """Repeated parameters give an error page."""
    pairs = [(name, "one"), (name, "two")]
    part = {"params": pairs} if method == "GET" else {"data": pairs}
    assert is_error_page(await op.browser().request(method, END_SESSION.path, **part))


@pytest.mark.parametrize("path", [END_SESSION.path, LOGOUT.path, LOGOUT_DONE.path])
async def test_the_pages_are_framed_and_kept_by_nobody(op: AuthorizationService, path: str) -> None:
    """Logout pages cannot be framed or cached."""
    page = await op.browser().get(path)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Cache-Control"] == "no-store"


async def test_markup_in_a_client_s_name(op: AuthorizationService) -> None:
    """Markup is shown as text on every logout page."""
    markup, browser = '"><script>alert(1)</script>', op.browser()
    client = await a_client(op, client_name=markup)
    await browser.sign_in(client, await op.user())
    for name in ("state", "ui_locales", "post_logout_redirect_uri", "logout_hint", "id_token_hint"):
        page = await browser.get(END_SESSION.path, {"client_id": client.client_id, name: markup})
        assert is_question(page)
        assert "<script>alert" not in page.text
    done = await browser.post(LOGOUT.path, page.hidden)
    again = await browser.get(LOGOUT_DONE.path, {"state": markup, "client_id": client.client_id})
    for page in (done, again):
        assert page.path == LOGOUT_DONE.path
        assert "<script>alert" not in page.text


@pytest.mark.point(22, 24)
async def test_what_a_logout_ends(op: AuthorizationService) -> None:
    """A logout ends the session and its grants everywhere and notifies clients; offline grants stay."""
    browser, user, uri = op.browser(), await op.user(), "https://rp1.test/told"
    one, two = [await a_client(op, backchannel_logout_uri=uri) for _ in range(2)]
    async with serve_tokens(op.settings, op.world) as tokens:
        page = await browser.sign_in(one, user)
        online = await (await tokens.redeem(one, page.answer["code"])).json()
        page = await browser.sign_in(two, user, scope="openid offline_access", prompt="consent")
        offline = await (await tokens.redeem(two, page.answer["code"])).json()
        with patch.object(NoticeDelivery, "deliver", AsyncMock(return_value=0)):  # so that the notices stay
            await browser.get(END_SESSION.path, {"id_token_hint": await op.id_token(browser, one)})
            waiting = await op.world.stores.outbox.list(1000)
        told = {notice.client_id for notice in waiting if notice.user_id == user.user_id}
        assert told == {one.client_id, two.client_id}
        assert not await is_signed_in(browser, one)
        assert not await is_signed_in(browser, two)
        assert (await tokens.userinfo(online["access_token"])).status == 401
        assert (await tokens.refresh(two, offline["refresh_token"])).status == 200
