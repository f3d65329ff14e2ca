"""Pages at which a sign-in cannot go on: they say what happened, in the language asked for, and lead back."""

import re
from html import unescape

import pytest

from shared.oauth.tokens.handle import digest
from shared.paths import AUTHORIZATION, CONSENT, DEVICE, END_SESSION, LOGIN, LOGOUT, LOGOUT_DONE, SIGN_UP
from tests.authorization import (
    LOCAL_ISSUER,
    PASSWORD,
    AuthorizationService,
    Browser,
    Page,
    is_consent,
    is_error_page,
    is_login,
)

HOME = "https://app.example/home"
GONE = "https://rp1.test/signed-out"


def back(page: Page) -> str:
    """Where the page leads back."""
    found = re.search(r'id="way-back" href="([^"]*)"', page.text)
    return unescape(found[1]) if found else ""


def language_of(page: Page) -> str:
    found = re.search(r'<html lang="(\w+)"', page.text)
    assert found
    assert page.headers["Content-Language"] == found[1]
    return found[1]


async def expired(op: AuthorizationService, page: Page) -> None:
    await op.world.stores.interactions.end(digest(page.hidden["interaction"]))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", [LOGIN, CONSENT, SIGN_UP])
async def test_a_page_that_was_open_for_too_long(
    open_op: AuthorizationService, path: str, method: str
) -> None:
    """410, and a link to the client, although nothing else of the request is known any more."""
    client, browser = await open_op.client(client_uri=HOME, client_name="Meridian"), open_op.browser()
    page = await browser.authorize(client)
    await expired(open_op, page)
    part = {"params": page.hidden} if method == "GET" else {"data": {**page.hidden, "username": "x"}}
    over = await browser.request(method, str(path), **part)
    assert (over.status, back(over)) == (410, HOME)
    assert is_error_page(over)
    assert "Meridian" in over.text
    assert "app.example" in over.text


async def test_back_after_success(op: AuthorizationService) -> None:
    """The login and consent pages of an interaction that has been answered."""
    client, user, browser = await op.client(client_uri=HOME), await op.user(), op.browser()
    login = await browser.authorize(client)
    consent = await browser.log_in(login, user)
    assert is_consent(consent)
    assert "code" in (await browser.decide(consent)).answer
    for page in (
        await browser.get(LOGIN.path, login.hidden),
        await browser.get(CONSENT.path, consent.hidden),
        await browser.decide(consent),
        await browser.log_in(login, user),
    ):
        assert (page.status, back(page)) == (410, HOME)


@pytest.mark.parametrize("way", ["shown", "sent", "goes on"])
async def test_a_browser_without_the_cookie(op: AuthorizationService, way: str) -> None:
    """It blocks cookies, or has lost them: 403, and the page says so."""
    client = await op.client(initiate_login_uri="https://a.test/go")
    page = await op.browser().authorize(client)
    browser = op.browser()
    match way:
        case "shown":
            page = await browser.get(LOGIN.path, page.hidden)
        case "sent":
            page = await browser.log_in(page, await op.user())
        case _:
            page = await browser.get(AUTHORIZATION.path, page.hidden)
    assert page.status == 403
    assert is_error_page(page)
    assert "<code>cookie_missing</code>" in page.text
    assert "cookie" in page.text.partition("<dl")[0]  # for the user, not only for developers
    assert back(page) == f"https://a.test/go?iss={LOCAL_ISSUER.replace(':', '%3A').replace('/', '%2F')}"


async def test_no_client_that_is_unknown_or_disabled_is_linked_to(op: AuthorizationService) -> None:
    """The parameter that names it comes from anywhere."""
    disabled = await op.client(client_uri=HOME)
    await op.world.stores.clients.disable(disabled.client_id)
    for client_id in ("unknown", '"><script>', disabled.client_id):
        page = await op.browser().get(LOGIN.path, {"client": client_id, "interaction": "in_" + "A" * 43})
        assert (page.status, back(page)) == (410, "")
        assert "<script>" not in page.text


async def _french(browser: Browser, page: Page) -> None:
    assert language_of(page) == "fr"
    assert "Accept-Language" not in browser.headers


async def test_a_logout_in_one_language(op: AuthorizationService) -> None:
    """The question, a form that is not its own, the page that ends it, and the same without a client."""
    client, browser = await op.client(), op.browser()
    for parameters in ({"client_id": client.client_id}, {}):
        await browser.sign_in(client, await op.user())
        page = await browser.get(END_SESSION.path, {"ui_locales": "fr", **parameters})
        await _french(browser, page)
        await _french(browser, await browser.post(LOGOUT.path, {**page.hidden, "form_token": "wrong"}))
        page = await browser.post(LOGOUT.path, page.hidden)
        assert page.path.partition("?")[0] == LOGOUT_DONE.path
        await _french(browser, page)


async def test_an_error_in_the_language_of_the_request(open_op: AuthorizationService) -> None:
    """Before the client is known, after it, in a step, and when the interaction is over."""
    browser, client = open_op.browser(), await open_op.client()
    await _french(browser, await browser.get(AUTHORIZATION.path, {"ui_locales": "fr"}))
    await _french(browser, await browser.authorize(client, ui_locales="fr", redirect_uri="https://e.test"))
    await _french(browser, await browser.post(AUTHORIZATION.path, {"ui_locales": "fr"}))
    page = await browser.authorize(client, ui_locales="fr")
    assert is_login(page)
    await _french(browser, page)
    await _french(browser, await browser.get("/oidc/nothing?ui_locales=fr"))
    other = open_op.browser()
    await _french(other, await other.get(LOGIN.path, page.hidden))
    sign_up = await browser.get(SIGN_UP.path, page.hidden)
    await _french(browser, sign_up)
    refused = await browser.post(SIGN_UP.path, {**sign_up.hidden, "form_token": "wrong"})
    assert refused.status == 403
    await _french(browser, refused)
    await expired(open_op, page)
    for over in (
        await browser.get(LOGIN.path, page.hidden),
        await browser.post(LOGIN.path, page.hidden),
    ):
        assert over.status == 410
        await _french(browser, over)


async def test_a_device_is_connected_in_one_language(op: AuthorizationService) -> None:
    """The page for the code, and the login page that follows."""
    browser = op.browser()
    page = await browser.get(DEVICE.path, {"ui_locales": "fr", "user_code": "BBBB-BBBB"})
    await _french(browser, page)
    page = await browser.post(DEVICE.path, {**page.hidden, "user_code": "BBBB-BBBB"})
    assert is_login(page)
    await _french(browser, page)
    user = await op.user()
    page = await browser.post(DEVICE.path, {**page.hidden, "username": user.username, "password": PASSWORD})
    assert "code" in page.text
    await _french(browser, page)
