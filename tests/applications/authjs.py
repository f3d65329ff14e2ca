"""Auth.js, with Express."""

from pathlib import Path

from playwright.async_api import Page

from tests.applications.client import AddedClient
from tests.applications.node_server import node_server
from tests.applications.person import is_person, shown
from tests.applications.serving import needs_application
from tests.flow.op import Op
from tests.interop.chromium import sign_in

NAME = "authjs"


async def _sign_in(op: Op, client: AddedClient, page: Page) -> None:
    await page.goto(f"{client.url}/auth/signin")
    await page.click("text=Sign in with Ostiary")
    await sign_in(op, page)
    await page.wait_for_url(f"{client.url}/**")


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """Its session has her name, e-mail address and groups from the ID token, until she signs out."""
    client = AddedClient.of_preset(provider, NAME)
    files = [("auth.config.js", client.lines[0])]
    async with node_server(provider, needs_application(NAME), tmp_path, client, files) as page:
        await _sign_in(provider, client, page)
        await page.goto(client.url)
        assert is_person((await shown(page))["user"])

        await page.goto(f"{client.url}/auth/signout")
        await page.click("button[type=submit]")
        await page.goto(client.url)
        assert await shown(page) == {"user": None}


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, Auth.js lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    files = [("auth.config.js", client.lines[0])]
    async with node_server(provider, needs_application(NAME), tmp_path, client, files) as page:
        await _sign_in(provider, client, page)
        await page.goto(client.url)
        assert await shown(page) == {"user": None}
    assert await client.refusal(provider) == "invalid_client"
