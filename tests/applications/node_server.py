"""A server in Node, in whose script stand the lines of a preset."""

import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page

from tests.applications.catalogue import HERE, Application
from tests.applications.client import AddedClient
from tests.applications.person import is_person, shown
from tests.applications.serving import needs_application, serving
from tests.flow.op import Op
from tests.interop.chromium import new_page, sign_in
from tests.tools import needs

PLACE = "// THE LINES OF THE PRESET"


@asynccontextmanager
async def node_server(
    op: Op, application: Application, folder: Path, client: AddedClient, files: Iterable[tuple[str, str]] = ()
) -> AsyncIterator[Page]:
    """Serves `server.mjs` of the application, and opens a browser.

    The lines stand at their place in the script, which may import *files* (names and texts).
    """
    script = (application.folder / "server.mjs").read_text("utf-8").replace(PLACE, "\n".join(client.lines))
    for name, text in (("server.mjs", script), *files):
        (folder / name).write_text(text, "utf-8")
    for name in ("package.json", "node_modules"):
        (folder / name).symlink_to(application.environment / name)
    shutil.copy(HERE / "page.mjs", folder)
    argv = (needs("node"), "server.mjs")
    async with (
        serving(op, argv, folder, client.port, {"PORT": str(client.port)}),
        new_page(op, folder / "home") as page,
    ):
        yield page


async def check_sign_in(provider: Op, name: str, folder: Path) -> None:
    """Express has her claims from the ID token, renews its tokens, and ends the session here too."""
    application = needs_application(name)
    client = AddedClient.of_preset(provider, name)
    async with node_server(provider, application, folder, client) as page:
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


async def check_wrong_secret(provider: Op, name: str, folder: Path) -> None:
    """The code is refused, Express lets nobody in, and the operator is told why."""
    application = needs_application(name)
    client = AddedClient.of_preset(provider, name).mistyped()
    async with node_server(provider, application, folder, client) as page:
        await page.goto(f"{client.url}/login")
        await sign_in(provider, page)
        await page.wait_for_url(f"{client.url}/**")
        await page.goto(client.url)
        assert await shown(page) == {"user": None}
    assert await client.refusal(provider) == "invalid_client"
