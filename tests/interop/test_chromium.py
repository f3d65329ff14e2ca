"""A person in Chromium signs in to relying parties."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page, Route

from shared.paths import OPENID_CONFIGURATION
from tests.flow.op import Op
from tests.interop.chromium import new_page, sign_in
from tests.interop.listener import listening
from tests.interop.relying_party import PACKAGES, RELYING_PARTIES, conversation
from tests.tools import needs

CELLS_SYNC = {
    "client_id": "cells-sync",
    "client_name": "CellsSync Application",
    "grant_types": ["authorization_code", "refresh_token"],
    "redirect_uris": [
        "http://localhost:3000/servers/callback",
        "http://localhost:[3636-3666]/servers/callback",
    ],
    "response_types": ["code", "token", "id_token"],
    "scope": "openid email profile pydio offline",
}
SCOPE = "openid profile offline_access"
LIBRARY = PACKAGES / "oidc-client" / "dist" / "oidc-client.min.js"
PAGE = """<!doctype html><title>waiting</title><script src="/oidc-client.min.js"></script><script>
const manager = new Oidc.UserManager({
  authority: %(authority)s, client_id: 'cells-sync', redirect_uri: location.origin + '/servers/callback',
  response_type: 'code', response_mode: 'query', scope: 'openid email profile pydio offline',
  loadUserInfo: false, automaticSilentRenew: false,
})
const done = (value) => { document.body.textContent = JSON.stringify(value); document.title = 'done' }
const failed = (error) => done({ error: error.message })
if (location.pathname === '/servers/callback') {
  manager.signinRedirectCallback().then(done, failed)
} else {
  manager.signinRedirect().catch(failed)
}
</script><body>"""


async def test_a_person_signs_in(op: Op, tmp_path: Path) -> None:
    """Login and consent pages over https, and Authlib takes what the browser brings back."""

    async def callback(_: web.Request) -> web.Response:
        return web.Response(text="<title>back</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/callback", callback)
    async with listening(app) as port, new_page(op, tmp_path) as page:
        redirect_uri = f"http://127.0.0.1:{port}/callback"
        client = await asyncio.to_thread(
            op.add_client,
            client_name="Visited",
            redirect_uris=[redirect_uri],
            grant_types=["authorization_code", "refresh_token"],
            scope=SCOPE,
        )
        given = {name: client[name] for name in ("client_id", "client_secret")}
        given |= {"issuer": op.issuer, "redirect_uri": redirect_uri, "scope": SCOPE}
        with conversation(
            RELYING_PARTIES[0],
            op.ca_file,
            given,
        ) as talk:
            await page.goto((await asyncio.to_thread(talk.hear))["authorization_url"])
            assert await page.inner_text("h1") == "Sign in"
            await sign_in(op, page)
            await page.wait_for_url(f"{redirect_uri}?*")
            talk.say(page.url)
            learned = await asyncio.to_thread(talk.hear)
    assert learned["claims"]["iss"] == op.issuer
    assert learned["userinfo"]["preferred_username"] == op.username


@pytest.fixture(scope="module")
def cells(op: Op, tmp_path_factory: pytest.TempPathFactory) -> Op:
    """The OP with the client that Cells' own file declares."""
    file = tmp_path_factory.mktemp("cells") / "pydio.json"
    file.write_text(json.dumps({"services": {"pydio.web.oauth": {"staticClients": [CELLS_SYNC]}}}))
    op.ostiary("client", "import", str(file))
    return op


def _cells_sync(issuer: str) -> web.Application:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE % {"authority": json.dumps(issuer)}, content_type="text/html")

    async def library(_: web.Request) -> web.FileResponse:
        return web.FileResponse(LIBRARY)

    app = web.Application()
    app.router.add_get("/oidc-client.min.js", library)
    app.router.add_get("/", page)
    app.router.add_get("/servers/callback", page)
    return app


async def _learned(page: Page) -> Any:
    await page.wait_for_function("document.title === 'done'")
    return json.loads(await page.inner_text("body"))


async def test_cells_sync_signs_in(cells: Op, tmp_path: Path) -> None:
    """oidc-client 1.11 in a page of another origin: discovery and token by XHR, PKCE, `name` in the token."""
    needs("node", LIBRARY)
    async with (
        listening(_cells_sync(cells.issuer), range(3636, 3667)) as port,
        new_page(cells, tmp_path) as page,
    ):
        await page.goto(f"http://localhost:{port}/")
        await page.wait_for_selector("#login-submit")
        await sign_in(cells, page)
        user = await _learned(page)
    assert "error" not in user
    assert user["profile"]["name"] == cells.username
    assert user["access_token"]
    assert user["refresh_token"]
    assert user["scope"].split() == ["openid", "email", "profile", "pydio", "offline"]


async def test_cells_sync_refuses_another_issuer(cells: Op, tmp_path: Path) -> None:
    """The ID token must come from the issuer of the metadata, byte for byte."""
    needs("node", LIBRARY)

    metadata = {**cells.metadata(), "issuer": cells.issuer + "/"}

    async def altered(route: Route) -> None:
        await route.fulfill(json=metadata, headers={"Access-Control-Allow-Origin": "*"})

    async with (
        listening(_cells_sync(cells.issuer), range(3636, 3667)) as port,
        new_page(cells, tmp_path) as page,
    ):
        await page.route(OPENID_CONFIGURATION.at(cells.issuer), altered)
        await page.goto(f"http://localhost:{port}/")
        await page.wait_for_selector("#login-submit")
        await sign_in(cells, page)
        learned = await _learned(page)
    assert learned == {"error": f"Invalid issuer in token: {cells.issuer}"}
