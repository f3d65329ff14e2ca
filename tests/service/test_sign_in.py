"""A sign-in from a client's request to the response, with a browser."""

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from shared.live import clock
from shared.oauth.pkce import challenge_of
from shared.paths import AUTHORIZATION, CONSENT, LOGIN
from tests.authorization import (
    LOCAL_ISSUER,
    STATE,
    AuthorizationService,
    a_request,
    is_consent,
    is_error_page,
    is_login,
)
from tests.builders import REDIRECT_URI, VERIFIER


async def test_a_person_signs_in_agrees_and_the_client_gets_a_code(op: AuthorizationService) -> None:
    """Login page, consent page, code: RFC 6749 §4.1.2, with `state` and `iss`."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    page = await browser.authorize(client)
    assert is_login(page)
    page = await browser.log_in(page, user)
    assert is_consent(page)
    page = await browser.decide(page)
    code = await op.code(page)
    assert page.location.startswith(f"{REDIRECT_URI}?")
    assert page.answer.keys() == {"code", "state", "iss", "session_state"}
    assert (page.answer["state"], page.answer["iss"]) == (STATE, LOCAL_ISSUER)
    assert (code.authorization.user_id, code.authorization.client_id) == (user.user_id, client.client_id)
    assert code.authorization.scope == ("openid", "email")
    assert code.authorization.nonce == "n-0S6_WzA2Mj"
    assert (code.redirect_uri, code.code_challenge) == (REDIRECT_URI, challenge_of(VERIFIER))


@pytest.mark.point(19)
async def test_the_pages_show_what_the_client_says_of_itself(op: AuthorizationService) -> None:
    """Registration 1.0 §2: links that lead to the client, and its logo, which this server delivers."""
    links = {name: f"https://rp1.test/{name}" for name in ("client_uri", "policy_uri", "tos_uri")}
    client = await op.client(client_name="Files", logo_uri="https://rp1.test/logo.png", **links)
    browser, user = op.browser(), await op.user()
    login = await browser.authorize(client)
    consent = await browser.log_in(login, user)
    assert (is_login(login), is_consent(consent)) == (True, True)
    for page in (login, consent):
        assert "Files" in page.text
        assert 'src="/oidc/logo?uri=https%3A%2F%2Frp1.test%2Flogo.png&amp;mac=' in page.text
        for uri in links.values():
            assert f'href="{uri}"' in page.text, uri


@pytest.mark.point(8)
async def test_the_second_time_nobody_is_asked(op: AuthorizationService) -> None:
    """A live session and a remembered consent: one redirect, the same sid and auth_time."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    first = await op.code(await browser.sign_in(client, user))
    page = await browser.request("GET", AUTHORIZATION.path, params=a_request(client, prompt="none"))
    second = await op.code(page)
    assert second.authorization.sid == first.authorization.sid
    assert second.authorization.authentication == first.authorization.authentication
    assert page.cookies == ()


@pytest.mark.point(5)
async def test_a_posted_request_finds_the_session(op: AuthorizationService) -> None:
    """Core 1.0 §3.1.2.1: POST is answered 303 to itself, because its form brings no Lax cookie."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, user)
    stranger = op.browser(has_jar=False)
    page = await stranger.request("POST", AUTHORIZATION.path, data=a_request(client))
    assert page.status == 303
    assert urlsplit(page.location).path == AUTHORIZATION.path
    assert page.cookies == ()
    answered = await browser.follow(page)
    assert answered.answer["state"] == STATE
    assert "code" in answered.answer


@pytest.mark.point(5)
async def test_a_posted_request_leads_a_new_browser_to_the_login_page(op: AuthorizationService) -> None:
    """A reload works, and the interaction belongs to the browser that came with the redirect."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    posted = await op.browser().request("POST", AUTHORIZATION.path, data=a_request(client))
    page = await browser.follow(posted)
    assert is_login(page)
    assert is_login(await browser.follow(posted))
    assert (await op.browser().get(LOGIN.path, page.hidden)).status == 403
    page = await browser.decide(await browser.log_in(page, user))
    assert "code" in page.answer


async def test_two_tabs_are_two_flows_and_both_finish(op: AuthorizationService) -> None:
    """Each tab gets its own response, with its own state."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    one = await browser.authorize(client, state="one")
    two = await browser.authorize(client, state="two")
    consent_one = await browser.log_in(one, user)
    consent_two = await browser.log_in(two, user)
    answers = [await browser.decide(consent_two), await browser.decide(consent_one)]
    assert [page.answer["state"] for page in answers] == ["two", "one"]
    assert all("code" in page.answer for page in answers)


async def test_a_tab_goes_on_when_another_has_signed_in(op: AuthorizationService) -> None:
    """Reloading the login page leads to the next step, without asking for the password twice."""
    client, user, browser = await op.client(skip_consent=True), await op.user(), op.browser()
    waiting = await browser.authorize(client, state="waiting")
    await browser.log_in(await browser.authorize(client), user)
    page = await browser.get(LOGIN.path, {"interaction": waiting.hidden["interaction"]})
    assert page.answer["state"] == "waiting"


async def test_steps_can_be_reloaded(op: AuthorizationService) -> None:
    """Pages can be reloaded."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    page = await browser.authorize(client)
    handle = {"interaction": page.hidden["interaction"]}
    assert is_login(await browser.get(LOGIN.path, handle))
    await browser.log_in(page, user)
    assert is_consent(await browser.get(CONSENT.path, handle))
    page = await browser.get(CONSENT.path, handle)
    assert "code" in (await browser.decide(page)).answer


async def test_a_double_click_gives_one_code(op: AuthorizationService) -> None:
    """Of ten concurrent consents, one gets a code; the others get a page."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    consent = await browser.log_in(await browser.authorize(client), user)
    pages = await asyncio.gather(*(browser.decide(consent) for _ in range(10)))
    assert [page.is_at_client for page in pages].count(True) == 1
    assert all(page.status == 410 and is_error_page(page) for page in pages if not page.is_at_client)


async def test_a_login_sent_twice_gives_one_code(op: AuthorizationService) -> None:
    """If a login is sent twice, one continues to the client."""
    client, user, browser = await op.client(skip_consent=True), await op.user(), op.browser()
    login = await browser.authorize(client)
    pages = await asyncio.gather(*(browser.log_in(login, user) for _ in range(3)))
    assert [page.is_at_client for page in pages].count(True) == 1


async def test_a_finished_flow_cannot_be_replayed(op: AuthorizationService) -> None:
    """Repeated steps give a page, and no second code."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    login = await browser.authorize(client)
    consent = await browser.log_in(login, user)
    await browser.decide(consent)
    for page in (await browser.log_in(login, user), await browser.decide(consent)):
        assert page.status == 410
        assert is_error_page(page)


@pytest.mark.point(5)
async def test_a_denial_is_an_answer(op: AuthorizationService) -> None:
    """RFC 6749 §4.1.2.1: access_denied, and the next request asks again."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    page = await browser.decide(await browser.log_in(await browser.authorize(client), user), "deny")
    assert page.answer["error"] == "access_denied"
    assert (page.answer["state"], page.answer["iss"]) == (STATE, LOCAL_ISSUER)
    assert is_consent(await browser.authorize(client))


@pytest.mark.point(5)
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_each_response_mode(op: AuthorizationService, mode: str) -> None:
    """OAuth 2.0 Multiple Response Types §2.1 and Form Post Response Mode, for codes and for errors."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    granted = await browser.sign_in(client, user, response_mode=mode)
    refused = await op.browser().authorize(client, response_mode=mode, prompt="none")
    if mode == "form_post":
        assert granted.hidden.keys() == {"code", "state", "iss", "session_state"}
        assert refused.hidden["error"] == "login_required"
        assert f'action="{REDIRECT_URI}"' in granted.text
        return
    mark = {"query": "?", "fragment": "#"}[mode]
    assert granted.location.startswith(f"{REDIRECT_URI}{mark}code=")
    assert refused.location.startswith(f"{REDIRECT_URI}{mark}error=login_required")


async def test_codes_for_a_person_to_carry_live_longer(op: AuthorizationService) -> None:
    """Ten minutes on the out-of-band page, which shows the code; else a minute."""
    out_of_band = "http://localhost:8080/oauth2/oob"
    client = await op.client(redirect_uris=(REDIRECT_URI, out_of_band))
    user, browser = await op.user(), op.browser()
    short = await op.code(await browser.sign_in(client, user))
    page = await browser.sign_in(client, user, redirect_uri=out_of_band)
    long = await op.code(page)
    assert short.expires_at <= clock.now() + timedelta(minutes=1)
    assert long.expires_at > clock.now() + timedelta(minutes=9)
    shown = await browser.get(page.location.removeprefix("http://localhost:8080"))
    assert page.answer["code"] in shown.text
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert shown.headers["Cache-Control"] == "no-store"
