"""Apache's mod_auth_openidc as a relying party, with its default checks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.op import Op
from tests.flow.user_agent import UserAgent
from tests.interop.apache import CONTENT, Apache, apache
from tests.interop.chromium import new_page, sign_in
from tests.interop.tampering import with_parameters


@pytest.fixture(scope="module")
def server(op: Op) -> Iterator[Apache]:
    """Apache in front of one page."""
    with apache(op) as running:
        yield running


async def test_a_person_signs_in(op: Op, server: Apache, tmp_path: Path) -> None:
    """Apache shows the page after the sign-in, and knows the user."""
    async with new_page(op, tmp_path) as page:
        await page.goto(server.page)
        await sign_in(op, page)
        await page.wait_for_url(server.page)
        assert await page.inner_text("body") == CONTENT
        response = await page.goto(server.page)
        assert response
        assert response.headers["x-remote-user"] == op.username
        assert response.headers["x-issuer"] == op.issuer


@pytest.mark.parametrize("nonce", [None, "a-nonce-of-somebody-else"])
@pytest.mark.parametrize("iss", [None, "https://evil.example/oidc"])
def test_it_refuses_what_was_made_for_another(
    op: Op, server: Apache, nonce: str | None, iss: str | None
) -> None:
    """Apache refuses an ID token with another nonce and a code of another issuer, and accepts honest ones."""
    agent = UserAgent(server.door)
    said = server.log.stat().st_size
    request = agent.visit(server.page).location
    callback = op.sign_in(with_parameters(request, nonce=nonce) if nonce else request)
    page = agent.visit(with_parameters(callback, iss=iss) if iss else callback)
    reasons = server.log.read_text()[said:]
    if nonce is None and iss is None:
        assert (page.status, page.text) == (200, CONTENT)
    else:
        assert CONTENT not in page.text
        assert "Error" in page.text  # told with status 200
        assert ("iss" if iss else "nonce") in reasons
