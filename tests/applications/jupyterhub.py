"""JupyterHub with oauthenticator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page

from tests.applications.client import AddedClient
from tests.applications.person import PERSON
from tests.applications.serving import needs_application, serving
from tests.flow.op import Op
from tests.flow.starter import free_port
from tests.interop.chromium import new_page, sign_in

NAME = "jupyterhub"


@asynccontextmanager
async def hub(op: Op, client: AddedClient, folder: Path) -> AsyncIterator[Page]:
    """JupyterHub with the lines of the preset, whose users land on its home page, and a browser."""
    environment = needs_application(NAME).environment
    proxy = environment / "node_modules" / ".bin" / "configurable-http-proxy"
    own = f"""
c.JupyterHub.bind_url = "{client.url}"
c.JupyterHub.hub_port = {free_port()}
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{free_port()}"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.default_url = "/hub/home"
"""
    (folder / "jupyterhub_config.py").write_text(own + client.lines[0], "utf-8")
    argv = (str(environment / "bin" / "python"), "-m", "jupyterhub")
    async with serving(op, argv, folder, client.port), new_page(op, folder / "home") as page:
        yield page


async def _sign_in(op: Op, client: AddedClient, page: Page) -> None:
    await page.goto(f"{client.url}/hub/oauth_login")
    await sign_in(op, page)
    await page.wait_for_url(f"{client.url}/**")


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """JupyterHub knows her user name and groups, until she logs out."""
    client = AddedClient.of_preset(provider, NAME)
    async with hub(provider, client, tmp_path) as page:
        await _sign_in(provider, client, page)
        assert await page.inner_text("#login_widget .me-1") == PERSON.username
        answer = await page.request.get(f"{client.url}/hub/api/user")
        assert sorted((await answer.json())["groups"]) == list(PERSON.groups)

        await page.click("#logout")
        await page.goto(f"{client.url}/hub/home")
        assert await page.get_by_text("Sign in with Ostiary").count()


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, JupyterHub lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with hub(provider, client, tmp_path) as page:
        await _sign_in(provider, client, page)
        await page.goto(f"{client.url}/hub/home")
        assert await page.get_by_text("Sign in with Ostiary").count()
    assert await client.refusal(provider) == "invalid_client"
