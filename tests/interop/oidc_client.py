"""oidc-client 1.11 in a page of another origin, with its default checks."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from playwright.async_api import Page

from tests.flow.op import Op
from tests.interop.chromium import sign_in
from tests.interop.listener import listening
from tests.interop.relying_party import PACKAGES
from tests.tools import needs

LIBRARY = PACKAGES / "oidc-client" / "dist" / "oidc-client.min.js"
PAGE = """<!doctype html><title>waiting</title><body><script src="/oidc-client.min.js"></script><script>
const manager = new Oidc.UserManager(%s)
const done = (value) => { document.body.textContent = JSON.stringify(value); document.title = 'done' }
const failed = (error) => done({ error: error.message })
if (location.pathname === '/') {
  manager.signinRedirect().catch(failed)
} else {
  manager.signinRedirectCallback().then(done, failed)
}
</script>"""


@dataclass(slots=True)
class OidcClient:
    """The page at *origin*, and the settings of its UserManager."""

    origin: str
    redirect_uri: str
    settings: dict[str, Any] = field(default_factory=dict)

    async def sign_in(self, op: Op, page: Page) -> Any:
        """Open the page, sign in and return. Returns the library's user, or its `error`."""
        await page.goto(self.origin)
        await page.wait_for_selector("#login-submit")
        await sign_in(op, page)
        await page.wait_for_function("document.title === 'done'")
        return json.loads(await page.inner_text("body"))


@asynccontextmanager
async def oidc_client(callback: str, ports: Iterable[int] = (0,)) -> AsyncIterator[OidcClient]:
    """Serve the page on the first free one of *ports*. *callback*: the path of its redirect URI."""
    needs("node", LIBRARY)

    async def page(_: web.Request) -> web.Response:
        settings = {**client.settings, "redirect_uri": client.redirect_uri}
        return web.Response(text=PAGE % json.dumps(settings), content_type="text/html")

    async def library(_: web.Request) -> web.FileResponse:
        return web.FileResponse(LIBRARY)

    app = web.Application()
    app.router.add_get("/oidc-client.min.js", library)
    app.router.add_get("/", page)
    app.router.add_get(callback, page)
    async with listening(app, ports) as port:
        origin = f"http://localhost:{port}"
        client = OidcClient(origin, origin + callback)
        yield client
