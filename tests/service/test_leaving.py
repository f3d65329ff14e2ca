"""A client that registered itself opens no program on the user's device without a page before."""

import re
from html import unescape
from typing import Any

import pytest

from shared.oauth.client.record import Client
from shared.paths import END_SESSION, LOGOUT
from tests.authorization import (
    AuthorizationService,
    Page,
    is_consent,
)
from tests.planted import planted
from tests.planted.browser import redirects_to_a_strangers_app

APP = "org.example.app:/cb"


async def a_stranger(op: AuthorizationService, **fields: Any) -> Client:
    """A client that registered itself with a private-use scheme."""
    whole = {"redirect_uris": (APP,), "application_type": "native", "is_dynamically_registered": True}
    return await op.client(**{**whole, **fields})


def is_asked(page: Page) -> bool:
    """Check for the page before the program, with a button."""
    return (
        page.status == 200 and not page.location and 'id="leave"' in page.text and "<script>" not in page.text
    )


def leads_to(page: Page) -> str:
    found = re.search(r'id="leave" href="([^"]*)"', page.text)
    return unescape(found[1]) if found else ""


@planted(redirects_to_a_strangers_app)
@pytest.mark.parametrize(
    "parameters",
    [
        {"prompt": "none"},
        {"scope": "none-such"},
        {"response_type": "bogus"},
        {"prompt": "none", "response_mode": "fragment"},
        {"request": "bogus"},
        {"request_uri": "https://e.test/"},
    ],
    ids=str,
)
async def test_no_error_opens_a_strangers_program(
    op: AuthorizationService, parameters: dict[str, str]
) -> None:
    """An error is sent only by a button on a page."""
    client = await a_stranger(op)
    page = await op.browser().authorize(client, **parameters)
    assert is_asked(page)
    assert leads_to(page).startswith(APP)
    assert "error=" in leads_to(page)
    assert "org.example.app" in re.sub("<[^>]*>", "", page.text)


@planted(redirects_to_a_strangers_app)
async def test_a_form_that_posts_to_a_program_waits(op: AuthorizationService) -> None:
    """The form post mode sends nothing by itself."""
    page = await op.browser().authorize(await a_stranger(op), prompt="none", response_mode="form_post")
    assert is_asked(page)
    assert page.hidden["error"] == "login_required"
    assert f'action="{APP}"' in page.text


@planted(redirects_to_a_strangers_app)
async def test_a_strangers_program_is_opened_after_a_page(op: AuthorizationService) -> None:
    """A page is shown even with a remembered consent, and with `prompt=none`."""
    client, user, browser = await a_stranger(op), await op.user(), op.browser()
    page = await browser.sign_in(client, user)
    assert page.location.startswith(f"{APP}?code=")
    again = await browser.authorize(client)
    assert is_consent(again)
    assert (await browser.decide(again, "deny")).location.startswith(f"{APP}?error=access_denied")
    page = await browser.authorize(client, prompt="none")
    assert is_asked(page)
    assert "error=consent_required" in leads_to(page)


@pytest.mark.parametrize(
    "fields",
    [{"is_dynamically_registered": False}, {"redirect_uris": ("http://127.0.0.1/cb",)}],
    ids=lambda fields: next(iter(fields)),
)
async def test_others_are_answered_at_once(op: AuthorizationService, fields: dict[str, Any]) -> None:
    """Clients of operators, and clients with http URIs, get their response at once."""
    client = await a_stranger(op, **fields)
    page = await op.browser().authorize(client, prompt="none")
    assert page.status == 303
    assert page.answer["error"] == "login_required"


@planted(redirects_to_a_strangers_app)
async def test_no_logout_opens_a_strangers_program(op: AuthorizationService) -> None:
    """Logout asks first, even with the client's own hint and nobody signed in."""
    gone = "org.example.app:/gone"
    client, browser = await a_stranger(op, post_logout_redirect_uris=(gone,)), op.browser()
    web_client = await op.client(skip_consent=True)
    await browser.sign_in(web_client, await op.user())
    hint = await op.id_token(browser, web_client, aud=[client.client_id])
    visitor = op.browser()
    page = await visitor.get(END_SESSION.path, {"id_token_hint": hint, "post_logout_redirect_uri": gone})
    assert (page.status, page.location) == (200, "")
    assert 'id="logout-confirm"' in page.text
    assert (await visitor.post(LOGOUT.path, page.hidden)).location == gone
