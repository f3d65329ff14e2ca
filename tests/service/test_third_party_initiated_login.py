"""Third-party-initiated login from the start page (OpenID Connect Core 1.0 §4)."""

import re
from html import escape, unescape
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.paths import START, START_ALIAS
from shared.store import Unavailable
from shared.store.postgres.clients import PostgresClients
from tests.authorization import LOCAL_ISSUER, AuthorizationService
from tests.deployment import serve_tokens


def link_to(text: str, uri: str) -> str:
    """Where the start page leads to for a client's URI."""
    found = re.search(rf'href="({re.escape(escape(uri))}[^"]*)"', text)
    assert found, text
    return unescape(found[1])


@pytest.mark.point(19)
@pytest.mark.parametrize("path", [START, START_ALIAS])
async def test_a_login_begun_here_completes(op: AuthorizationService, path: str) -> None:
    """The client learns the issuer, sends an authorization request of its own, and gets its tokens."""
    uri = f"https://rp1.test/begin{len(str(path))}?tenant=1"
    client = await op.client(initiate_login_uri=uri, client_name="Files")
    browser, user = op.browser(), await op.user()
    href = link_to((await browser.get(str(path))).text, uri)
    assert parse_qs(urlsplit(href).query) == {"tenant": ["1"], "iss": [LOCAL_ISSUER]}
    page = await browser.sign_in(client, user)  # the client, at its initiate_login_uri
    async with serve_tokens(op.settings, op.world) as tokens:
        assert "id_token" in await (await tokens.redeem(client, page.answer["code"])).json()


async def test_who_is_not_shown(op: AuthorizationService) -> None:
    """Clients without such a URI, disabled clients, and URIs without https are not shown."""
    await op.client(client_name="Without")
    disabled = await op.client(client_name="Disabled", initiate_login_uri="https://rp1.test/disabled")
    await op.world.stores.clients.disable(disabled.client_id)
    await op.client(client_name="Script", initiate_login_uri="javascript:alert(1)")
    text = (await op.browser().get(START.path)).text
    assert not any(name in text for name in ("Without", "Disabled", "Script", "javascript:"))


async def test_the_name_is_text_and_the_host_is_told(op: AuthorizationService) -> None:
    """The name is shown as text, with the host beside it."""
    name = '<b>Your bank</b>"'
    await op.client(client_name=name, initiate_login_uri='https://elsewhere.test/x"><script>')
    text = (await op.browser().get(START.path)).text
    assert "<b>Your bank" not in text
    assert '"><script>' not in text
    assert "elsewhere.test" in text


async def test_without_postgresql_the_page_shows_the_rest(op: AuthorizationService) -> None:
    """Without PostgreSQL, the rest of the start page is shown."""
    with patch.object(PostgresClients, "list_startable", side_effect=Unavailable("it is away")):
        page = await op.browser().get(START.path)
    assert page.status == 200
    assert LOCAL_ISSUER in page.text
