"""Self-registration: `prompt=create` (Initiating User Registration via OpenID Connect 1.0)."""

import re
from html import unescape

import pytest

from shared.live import clock
from shared.model import User
from shared.oauth.authentication_methods import ACR_PASSWORD
from shared.paths import AUTHORIZATION, SELECT_ACCOUNT, SIGN_UP
from tests.authorization import (
    AuthorizationService,
    a_request,
    is_consent,
    is_login,
)
from tests.deployment import settings_for
from tests.second_factors import is_addition
from tests.sign_up import a_name, a_stranger, is_asked_again, is_sign_up, sign_up, user_named

_HREF = {name: re.compile(rf'<a [^>]*id="{name}" href="([^"]*)"') for name in ("sign-up", "sign-in")}


def href(name: str, text: str) -> str:
    """The target of a link between the two pages."""
    found = _HREF[name].search(text)
    assert found
    return unescape(found[1])


@pytest.mark.point(8)
async def test_a_stranger_signs_up_agrees_and_the_client_gets_a_code(open_op: AuthorizationService) -> None:
    """A new user is signed in and gets a lasting `sub`."""
    client, browser, name = await open_op.client(), open_op.browser(), a_name()
    before = clock.now().replace(microsecond=0)
    page = await browser.authorize(client, prompt="create")
    assert is_sign_up(page)
    assert page.path.startswith(f"{SIGN_UP}?")
    page = await sign_up(browser, page, name, name="Zoë Fischer", email="zoe@example.org")
    assert is_consent(page)
    assert name in page.text
    code = (await open_op.code(await browser.decide(page))).authorization
    user = await user_named(open_op, name)
    assert user
    assert (code.user_id, user.username) == (user.user_id, name)
    assert user.claims == {"name": "Zoë Fischer", "email": "zoe@example.org", "email_verified": False}
    assert (code.authentication.acr, code.authentication.amr) == (ACR_PASSWORD, ("pwd",))
    assert before <= code.authentication.auth_time <= clock.now()
    again = (await open_op.code(await browser.authorize(client, prompt="none"))).authorization
    assert (again.user_id, again.sid) == (user.user_id, code.sid)
    assert "code" in (await open_op.browser().sign_in(client, user)).answer


@pytest.mark.point(8)
async def test_where_nobody_may_sign_up_it_is_not_pretended(op: AuthorizationService) -> None:
    """§4.1: neither offered nor ignored; nor is there a page. So it is unless a deployment says otherwise."""
    assert settings_for("postgresql://h/d", "redis://h").sign_up == "off"
    page = await op.browser().authorize(await op.client(), prompt="create")
    assert page.answer["error"] == "invalid_request"
    login = await op.browser().authorize(await op.client())
    assert is_login(login)
    assert str(SIGN_UP) not in login.text
    for method in ("GET", "POST"):
        assert (await op.browser().request(method, SIGN_UP.path, params=login.hidden)).status == 404


@pytest.mark.point(8)
@pytest.mark.parametrize("prompt", ["create", "create login", "consent create", "create select_account"])
async def test_who_signs_up_has_signed_in_and_has_chosen(open_op: AuthorizationService, prompt: str) -> None:
    """§4: beside other values nobody is asked twice for what signing up has answered; consent is another."""
    client, browser = await open_op.client(skip_consent=True), open_op.browser()
    await browser.sign_in(client, await open_op.user())
    page = await browser.authorize(client, prompt=prompt, max_age="0")
    assert is_sign_up(page)
    page = await sign_up(browser, page, name := a_name())
    assert is_consent(page) == ("consent" in prompt)
    user = await user_named(open_op, name)
    assert user
    answer = await browser.decide(page) if is_consent(page) else page
    assert (await open_op.code(answer)).authorization.user_id == user.user_id


@pytest.mark.point(8)
async def test_create_contradicts_nobody_being_asked_and_a_user_who_is_there(
    open_op: AuthorizationService,
) -> None:
    """`none`, and a hint of a user or a `sub` that no new one can have: before anybody has typed anything."""
    client, browser = await open_op.client(skip_consent=True), open_op.browser()
    await browser.sign_in(client, await open_op.user())
    hint = await open_op.id_token(browser, client)
    sub = '{"id_token": {"sub": {"value": "248289761001"}}}'
    for others in ({"prompt": "create none"}, {"id_token_hint": hint}, {"claims": sub}):
        page = await browser.authorize(client, **{"prompt": "create", **others})
        assert page.answer["error"] == "invalid_request"


async def test_nobody_new_is_asked_for_where_a_user_is_named(open_op: AuthorizationService) -> None:
    """Without `prompt=create` the login page has no link, and the other page leads back to it."""
    client, browser = await open_op.client(skip_consent=True), open_op.browser()
    await browser.sign_in(client, await open_op.user())
    hint = await open_op.id_token(browser, client)
    login = await open_op.browser().authorize(client, id_token_hint=hint, prompt="login")
    assert is_login(login)
    assert str(SIGN_UP) not in login.text
    page = await browser.authorize(client, id_token_hint=hint, prompt="login")
    assert is_login(await browser.get(SIGN_UP.path, page.hidden))


@pytest.mark.parametrize("prompt", ["", "create"])
async def test_the_two_pages_lead_to_each_other(open_op: AuthorizationService, prompt: str) -> None:
    """The login page and the sign-up page link to each other."""
    client, browser = await open_op.client(skip_consent=True), open_op.browser()
    page = await browser.authorize(client, prompt=prompt)
    if not prompt:
        assert is_login(page)
        page = await browser.get(href("sign-up", page.text))
    assert is_sign_up(page)
    login = await browser.get(href("sign-in", page.text))
    assert is_login(login)
    page = await browser.get(href("sign-up", login.text))
    assert is_sign_up(page)
    user = await open_op.user()
    assert (await open_op.code(await browser.log_in(login, user))).authorization.user_id == user.user_id


async def test_whoever_cancels_tells_the_client(open_op: AuthorizationService) -> None:
    """RFC 6749 §4.1.2.1: the link of the page is an answer."""
    page = await open_op.browser().authorize(await open_op.client(), prompt="create")
    assert "error=access_denied" in page.text


@pytest.mark.parametrize(("hint", "field"), [("zoe", "username"), ("zoe@example.org", "email")])
async def test_a_hint_is_filled_in(open_op: AuthorizationService, hint: str, field: str) -> None:
    """`login_hint` as name or as address; the page can be reloaded."""
    browser = open_op.browser()
    page = await browser.authorize(await open_op.client(), prompt="create", login_hint=hint)
    for shown in (page, await browser.get(SIGN_UP.path, {"interaction": page.hidden["interaction"]})):
        assert re.search(rf'<input [^>]*name="{field}" [^>]*value="{re.escape(hint)}"', shown.text)
        assert shown.text.count(f'value="{hint}"') == 1


@pytest.mark.parametrize(
    ("accept", "heading"), [("de", "Konto anlegen"), ("fr", "Créer un compte"), ("sv", "Create an account")]
)
async def test_the_page_speaks_the_users_language(
    open_op: AuthorizationService, accept: str, heading: str
) -> None:
    """The sign-up page uses the user's language."""
    browser = open_op.browser()
    browser.headers["Accept-Language"] = accept
    page = await browser.authorize(await open_op.client(), prompt="create")
    assert f"<h1>{heading}</h1>" in page.text


async def test_only_the_name_and_the_password_are_asked_for(open_op: AuthorizationService) -> None:
    """Only name and password are required, and surrounding spaces of a name are removed."""
    browser, name = open_op.browser(), a_name()
    page = await browser.authorize(await open_op.client(), prompt="create")
    assert is_consent(await sign_up(browser, page, f" {name} ", email=" "))
    user = await user_named(open_op, name)
    assert user
    assert (user.username, dict(user.claims)) == (name, {})


async def test_an_address_that_nobody_has_verified_is_no_name(open_op: AuthorizationService) -> None:
    """An unverified address neither signs in nor blocks its owner."""
    owner = await open_op.user()
    email = str(owner.claims["email"])
    client, browser = await open_op.client(skip_consent=True), open_op.browser()
    page = await browser.authorize(client, prompt="create")
    stranger = await open_op.code(await sign_up(browser, page, a_name(), email=email))
    assert stranger.authorization.user_id != owner.user_id
    by_email = User(user_id=owner.user_id, username=email)
    code = await open_op.code(await open_op.browser().sign_in(client, by_email))
    assert code.authorization.user_id == owner.user_id


async def test_another_user_s_session_ends(open_op: AuthorizationService) -> None:
    """Signing up ends another user's session in the browser."""
    client, browser = await open_op.client(skip_consent=True), open_op.browser()
    first = await open_op.code(await browser.sign_in(client, await open_op.user()))
    page = await sign_up(browser, await browser.authorize(client, prompt="create"), a_name())
    assert (await open_op.code(page)).authorization.sid != first.authorization.sid
    assert not await open_op.world.stores.sessions.end(first.authorization.sid, "it has ended before")


async def test_beside_others_where_another_account_was_asked_for(open_op: AuthorizationService) -> None:
    """`prompt=select_account`, another one, a new one: both are there to be chosen from then on."""
    client, browser, ada = await open_op.client(skip_consent=True), open_op.browser(), await open_op.user()
    await browser.sign_in(client, ada)
    page = await browser.authorize(client, prompt="select_account")
    page = await browser.post(SELECT_ACCOUNT.path, {**page.hidden, "account": "other"})
    page = await browser.get(href("sign-up", page.text))
    assert "code" in (await sign_up(browser, page, name := a_name())).answer
    page = await browser.authorize(client, prompt="select_account")
    assert ada.username in page.text
    assert name in page.text


async def test_a_posted_request_leads_to_the_page(open_op: AuthorizationService) -> None:
    """The interaction belongs to the browser that came with the redirect."""
    client, browser = await open_op.client(skip_consent=True), open_op.browser()
    request = a_request(client, prompt="create")
    page = await browser.follow(await open_op.browser().request("POST", AUTHORIZATION.path, data=request))
    assert is_sign_up(page)
    assert (await open_op.browser().get(SIGN_UP.path, page.hidden)).status == 403
    assert "code" in (await sign_up(browser, page, a_name())).answer


async def test_a_new_user_is_audited_with_their_row(open_op: AuthorizationService) -> None:
    """The audit row has the address, but no name and no password."""
    browser, name = open_op.browser(), a_name()
    page = await browser.authorize(await open_op.client(), prompt="create")
    await sign_up(browser, page, name, email="zoe@example.org")
    user = await user_named(open_op, name)
    assert user
    rows = [row async for row in open_op.world.audit_rows() if row["user_id"] == user.user_id]
    assert [row["event"] for row in rows] == ["user_added", "signed_in"]
    assert rows[0]["detail"] == {"by": "sign_up", "address": "127.0.0.1"}


async def test_a_password_beside_a_second_factor_may_be_shorter(
    open_op: AuthorizationService, demanding_op: AuthorizationService
) -> None:
    """NIST SP 800-63B-4 §3.1.1.2: 8 characters where nobody signs in by a password alone, else 15."""
    for op, least in ((open_op, 15), (demanding_op, 8)):
        browser, page = await a_stranger(op)
        assert f"At least {least} characters" in page.text
        password = "gjwmqzvt xkcdrhb"[:least]
        page = await sign_up(browser, page, a_name(), password=password[:-1])
        assert is_asked_again(page, "password")
        assert f"at least {least} characters" in page.text
        page = await sign_up(browser, page, a_name(), password=password)
        assert is_addition(page) if op is demanding_op else is_consent(page)
