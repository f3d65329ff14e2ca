"""oidc-client-ts in the page itself: a public client in Chromium."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from playwright.async_api import Page

from tests.applications.client import AddedClient
from tests.applications.node_server import PLACE
from tests.applications.person import is_person, shown
from tests.applications.serving import needs_application
from tests.flow.op import Op
from tests.interop.chromium import new_page, sign_in
from tests.interop.listener import listening

NAME = "oidc-client-ts"


@asynccontextmanager
async def single_page(op: Op, client: AddedClient, folder: Path, port: int) -> AsyncIterator[Page]:
    """A page with the lines of the preset, served on *port*, and a browser."""
    application = needs_application(NAME)
    html = (application.folder / "index.html").read_text("utf-8").replace(PLACE, "\n".join(client.lines))
    script = application.environment / "node_modules" / NAME / "dist" / "browser" / "oidc-client-ts.min.js"

    async def index(_: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    async def library(_: web.Request) -> web.FileResponse:
        return web.FileResponse(script)

    app = web.Application()
    app.router.add_get("/", index)
    app.router.add_get(f"/{script.name}", library)
    async with listening(app, [port]), new_page(op, folder) as page:
        yield page


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """Discovery, tokens and their renewal cross origins; signing out ends the session here too."""
    client = AddedClient.of_preset(provider, NAME)
    async with single_page(provider, client, tmp_path, client.port) as page:
        await page.goto(client.url)
        await page.click("#login")
        await sign_in(provider, page)
        await page.wait_for_function("document.getElementById('who')?.textContent.includes('sub')")
        assert is_person((await shown(page))["user"])

        await page.click("#refresh")
        await page.wait_for_function("document.getElementById('who').textContent.includes('isNew')")
        assert await shown(page) == {"isNew": True, "isHers": True}

        await page.click("#logout")
        await page.wait_for_url(f"{client.url}/**")
        assert await shown(page) == {"user": None}
        await page.click("#login")
        await page.wait_for_selector("#login-submit")


async def test_a_page_elsewhere_is_refused(provider: Op, tmp_path: Path) -> None:
    """The same lines in a page at another address: she is shown who asks, and nothing is sent there."""
    client = AddedClient.of_preset(provider, NAME)
    elsewhere = AddedClient.of_preset(provider, NAME)
    (lines,) = client.lines
    moved = AddedClient(elsewhere.url, client.client_id, "", (lines.replace(client.url, elsewhere.url),))
    async with single_page(provider, moved, tmp_path, moved.port) as page:
        await page.goto(moved.url)
        await page.click("#login")
        await page.wait_for_url(f"{provider.issuer.removesuffix('/oidc')}/**")
        assert not await page.locator("#login-submit").count()
        assert urlsplit(page.url).port != moved.port
    assert await client.refusal(provider) == "invalid_request"
