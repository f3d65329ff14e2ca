"""Binding forms to browsers: simultaneous tabs, and forms that were never opened."""

import asyncio

import pytest

from shared.browser.form_token import form_token
from shared.live.randomness import new_handle
from shared.oauth.tokens.handle import Kind
from shared.paths import AUTHORIZATION, CONSENT, DEVICE, END_SESSION, LOGIN, LOGOUT, SELECT_ACCOUNT, SIGN_UP
from tests.authorization import (
    PASSWORD,
    AuthorizationService,
    a_request,
    is_error_page,
    is_login,
)
from tests.planted import planted
from tests.planted.browser import (
    binds_to_no_browser,
    gives_a_browser_one_name,
    knows_the_token_of_nobody,
)
from tests.sign_up import a_name, user_named

NULL = {"Origin": "null"}  # what a browser without Fetch Metadata sends from a sandboxed frame


@planted(gives_a_browser_one_name)
@pytest.mark.parametrize("tabs", [2, 10])
async def test_tabs_that_begin_before_an_answer(op: AuthorizationService, tabs: int) -> None:
    """Tabs that start simultaneously without a cookie all complete."""
    client, user, browser = await op.client(skip_consent=True), await op.user(), op.browser()
    stranger = op.browser(has_jar=False)
    begun = [
        await stranger.request("GET", AUTHORIZATION.path, params=a_request(client, state=f"tab-{tab}"))
        for tab in range(tabs)
    ]
    for page in begun:  # the answers come one after another
        name, _, value = page.cookies[0].partition(";")[0].partition("=")
        browser.http.cookie_jar.update_cookies({name: value}, op.server.make_url("/oidc/"))
    logins = [await browser.follow(page) for page in begun]
    assert all(map(is_login, logins))
    answers = await asyncio.gather(*(browser.log_in(login, user) for login in logins))
    assert [page.answer["state"] for page in answers] == [f"tab-{tab}" for tab in range(tabs)]
    assert all("code" in page.answer for page in answers)


async def test_a_browser_keeps_one_cookie_for_what_it_begins_later(op: AuthorizationService) -> None:
    """Later interactions reuse the browser's cookie."""
    client, browser = await op.client(), op.browser()
    for _ in range(5):
        assert is_login(await browser.authorize(client))
    assert len([cookie for cookie in browser.http.cookie_jar if "browser" in cookie.key]) == 1


@planted(binds_to_no_browser)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_login_form_that_no_browser_has_opened(op: AuthorizationService, method: str) -> None:
    """Login CSRF: the attacker's interaction, with the attacker's password, in a browser without cookies."""
    client, user, attacker = await op.client(), await op.user(), op.browser()
    begun = await attacker.request(method, AUTHORIZATION.path, **_request(method, a_request(client)))
    page = await attacker.follow(begun)
    fields = {**page.hidden, "username": user.username, "password": PASSWORD}
    victim = op.browser()
    refused = await victim.request("POST", LOGIN.path, data=fields, headers=NULL)
    assert (refused.status, refused.cookies) == (403, ())
    assert is_error_page(refused)
    assert "code" in (await attacker.decide(await attacker.log_in(page, user))).answer


def _request(method: str, parameters: dict[str, str]) -> dict[str, dict[str, str]]:
    return {"params" if method == "GET" else "data": parameters}


@planted(binds_to_no_browser)
async def test_no_form_of_an_interaction_works_in_another_browser(open_op: AuthorizationService) -> None:
    """Login, sign-up, consent, account: 403, no cookie, and nothing has happened."""
    client, attacker = await open_op.client(), open_op.browser()
    create = await attacker.authorize(client, prompt="create")
    user = await open_op.user()
    consent = await attacker.log_in(await attacker.authorize(client), user)
    account = await attacker.authorize(client, prompt="select_account")
    name = a_name()
    for path, page, fields in (
        (LOGIN, create, {"username": user.username, "password": PASSWORD}),
        (SIGN_UP, create, {"username": name, "password": PASSWORD}),
        (CONSENT, consent, {"decision": "allow"}),
        (CONSENT, consent, {"decision": "deny"}),
        (SELECT_ACCOUNT, account, {"account": "other"}),
    ):
        data = {**page.hidden, **fields}
        refused = await open_op.browser().request("POST", path.path, data=data, headers=NULL)
        assert (path, refused.status, refused.cookies) == (path, 403, ())
    assert await user_named(open_op, name) is None
    assert "code" in (await attacker.decide(consent)).answer


async def test_the_device_page_signs_in_the_browser_that_opened_it(op: AuthorizationService) -> None:
    """Without the cookie, or with a token that anyone can compute, the form is shown again."""
    user, attacker = await op.user(), op.browser()
    page = await attacker.post(DEVICE.path, {"user_code": "BBBB-BBBB", "step": "code"})
    for token in (page.hidden["form_token"], form_token("", "device BBBB-BBBB")):
        fields = {**page.hidden, "form_token": token, "username": user.username, "password": PASSWORD}
        answer = await op.browser().request("POST", DEVICE.path, data=fields, headers=NULL)
        assert is_login(answer)
        assert not any("session" in cookie for cookie in answer.cookies)


@planted(knows_the_token_of_nobody)
async def test_a_logout_form_that_anyone_can_compute(op: AuthorizationService) -> None:
    """A form of another site without cookies must not delete the browser's session cookie."""
    for token in (form_token("", "logout"), form_token(new_handle(Kind.BROWSER), "logout"), ""):
        refused = await op.browser().request("POST", LOGOUT.path, data={"form_token": token}, headers=NULL)
        assert (refused.status, refused.cookies) == (403, ())
        assert is_error_page(refused)
        assert f'href="{LOGOUT}"' in refused.text


@planted(knows_the_token_of_nobody)
async def test_a_logout_form_of_nobody_ends_no_session(op: AuthorizationService) -> None:
    """A logout form from before a sign-in ends no session, but works for a browser without one."""
    client, browser = await op.client(), op.browser()
    page = await browser.get(END_SESSION.path)
    assert (await browser.post(LOGOUT.path, page.hidden)).status == 200
    await browser.sign_in(client, await op.user())
    assert (await browser.post(LOGOUT.path, page.hidden)).status == 403
    assert "code" in (await browser.authorize(client, prompt="none")).answer
