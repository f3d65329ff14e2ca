"""Passport with the strategy of openid-client."""

from pathlib import Path

from tests.applications.client import AddedClient
from tests.applications.node_server import node_server
from tests.applications.person import is_person, shown
from tests.applications.serving import needs_application
from tests.flow.op import Op
from tests.interop.chromium import sign_in

NAME = "passport"


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """Express has her claims from the ID token, renews its tokens, and ends the session here too."""
    application = needs_application(NAME)
    client = AddedClient.of_preset(provider, NAME)
    async with node_server(provider, application, tmp_path, client) as page:
        await page.goto(f"{client.url}/login")
        await sign_in(provider, page)
        await page.wait_for_url(f"{client.url}/")
        assert is_person((await shown(page))["user"])

        await page.click("#refresh")
        assert await shown(page) == {"isNew": True, "isHers": True}

        await page.click("#logout")
        await page.wait_for_url(f"{client.url}/")
        assert await shown(page) == {"user": None}
        await page.goto(f"{client.url}/login")
        assert await page.locator("#login-submit").count()


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, Express lets nobody in, and the operator is told why."""
    application = needs_application(NAME)
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with node_server(provider, application, tmp_path, client) as page:
        await page.goto(f"{client.url}/login")
        await sign_in(provider, page)
        await page.wait_for_url(f"{client.url}/**")
        await page.goto(client.url)
        assert await shown(page) == {"user": None}
    assert await client.refusal(provider) == "invalid_client"
