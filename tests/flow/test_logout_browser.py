"""Chromium with front-channel logout frames and the session management frame."""

import asyncio
import html
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from services.authorization.app import mount
from shared.identity.passwords import hash_password
from shared.live.randomness import new_id
from shared.model import User
from shared.oauth.client.record import Client
from shared.oauth.tokens.handle import digest
from shared.paths import CHECK_SESSION, END_SESSION
from shared.server.app import application
from shared.server.http.server import Runner
from tests.builders import World, a_client, an_attempt
from tests.deployment import open_world, settings_for
from tests.flow.test_sign_in_browser import (
    PASSWORD,
    BrowserDeployment,
    arrived,
    callback,
    free_socket,
    served,
)

WATCHING = """<!doctype html><title>RP</title><body>
<iframe id="op" src="{frame}"></iframe>
<script>
  addEventListener("message", (event) => {{
    if (event.source === document.getElementById("op").contentWindow) document.title = event.data;
  }});
  document.getElementById("op").addEventListener("load", () => {{
    document.getElementById("op").contentWindow.postMessage("{message}", "{origin}");
  }});
</script>"""


@dataclass
class RelyingPartyServer:
    """A client's web server: it records logout requests, and has a page that watches the session."""

    origin: str = ""
    framed: list[dict[str, str]] = field(default_factory=list)
    message: str = ""
    end: asyncio.Event = field(default_factory=asyncio.Event)

    async def out(self, request: web.Request) -> web.Response:
        self.framed.append(dict(request.query))
        return web.Response(text="out")

    async def hang(self, request: web.Request) -> web.Response:
        self.framed.append(dict(request.query))
        await self.end.wait()
        return web.Response()

    async def watch(self, _: web.Request) -> web.Response:
        frame = f"{self.origin}{CHECK_SESSION}"
        text = WATCHING.format(frame=frame, message=html.escape(self.message), origin=self.origin)
        return web.Response(text=text, content_type="text/html")

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/cb", callback)
        app.router.add_get("/gone", callback)
        app.router.add_get("/out", self.out)
        app.router.add_get("/hang", self.hang)
        app.router.add_get("/watch", self.watch)
        return app


@dataclass(frozen=True)
class TwoSites:
    """An OP at `localhost`, and two clients of one server at 127.0.0.1, another site, and at `localhost`."""

    deployment: BrowserDeployment
    world: World
    rp: RelyingPartyServer
    base: str
    same_site: str
    clients: tuple[Client, Client]

    async def grant(self, page: Page, client: Client) -> str:
        """Let a client redeem a code of this browser's session. Returns the `sid`."""
        await page.goto(self.deployment.request(client_id=client.client_id))
        answer = await arrived(page)
        code, grant_id = await self.world.stores.codes.find(digest(answer["code"])), new_id()
        assert code
        assert await self.world.stores.grants.redeem(
            an_attempt(grant_id), grant_id.bytes, code, code.expires_at, None
        )
        return str(code.authorization.sid)

    async def log_out(self, page: Page, **parameters: str) -> None:
        query = {"client_id": self.clients[0].client_id, **parameters}
        await page.goto(f"{self.deployment.origin}{END_SESSION}?{urlencode(query)}")
        await page.click("#logout-confirm")


@pytest.fixture
async def site(database_url: str, redis_url: str) -> AsyncIterator[TwoSites]:
    """The two sites. The second client's logout URI can hang."""
    ours, theirs = free_socket(), free_socket()
    origin = f"http://localhost:{ours.getsockname()[1]}"
    base, same_site = (f"http://{host}:{theirs.getsockname()[1]}" for host in ("127.0.0.1", "localhost"))
    settings = settings_for(database_url, redis_url, issuer=f"{origin}/oidc", rate_limits="off")
    rp, user = RelyingPartyServer(origin), User(user_id=new_id(), username="ada")
    uris: dict[str, Any] = {
        "redirect_uris": (f"{base}/cb", f"{same_site}/cb"),
        "post_logout_redirect_uris": (f"{base}/gone",),
    }
    one, two = (
        a_client(**uris, frontchannel_logout_uri=f"{base}/{path}", skip_consent=True)
        for path in ("out?of=one", "hang")
    )
    async with open_world(settings) as world:
        for client in (one, two):
            await world.stores.clients.add(client)
        await world.stores.users.add(user, hash_password(PASSWORD))
        async with (
            served(Runner(application(settings, mount)), ours),
            served(web.AppRunner(rp.app()), theirs),
        ):
            yield TwoSites(
                BrowserDeployment(origin, one, user, world), world, rp, base, same_site, (one, two)
            )
            rp.end.set()


async def signed_in(site: TwoSites, page: Page, **parameters: str) -> dict[str, str]:
    await page.goto(site.deployment.request(**parameters))
    await site.deployment.sign_in(page)
    return await arrived(page)


@pytest.mark.point(23)
async def test_the_browser_goes_on_when_every_client_was_framed(browser: Browser, site: TwoSites) -> None:
    """Frames get `iss` and `sid`, and then the browser returns to the client without a click."""
    page = await browser.new_page()
    await signed_in(site, page)
    sid = await site.grant(page, site.clients[0])
    await site.log_out(page, post_logout_redirect_uri=f"{site.base}/gone", state="bye")
    assert await arrived(page) == {"state": "bye"}
    assert site.rp.framed == [{"of": "one", "iss": f"{site.deployment.origin}/oidc", "sid": sid}]


@pytest.mark.point(23)
async def test_a_client_that_hangs_keeps_nobody(browser: Browser, site: TwoSites) -> None:
    """After a few seconds the browser continues, and the other client was notified."""
    page = await browser.new_page()
    await signed_in(site, page)
    for client in site.clients:
        await site.grant(page, client)
    await site.log_out(page, post_logout_redirect_uri=f"{site.base}/gone")
    await page.wait_for_url(f"{site.base}/gone", timeout=30_000)
    assert len(site.rp.framed) == 2


@pytest.mark.point(23)
async def test_without_script_the_browser_goes_on_too(browser: Browser, site: TwoSites) -> None:
    """Frames load without script, and the browser returns to the client without a click."""
    page = await (await browser.new_context(java_script_enabled=False)).new_page()
    await signed_in(site, page)
    await site.grant(page, site.clients[0])
    await site.log_out(page, post_logout_redirect_uri=f"{site.base}/gone")
    await expect(page.locator("h1")).to_have_text("You are signed out")
    await page.wait_for_url(f"{site.base}/gone", timeout=30_000)
    assert len(site.rp.framed) == 1


@pytest.mark.point(25)
async def test_the_frame_tells_when_the_sign_in_changes(browser: Browser, site: TwoSites) -> None:
    """The frame answers `unchanged`, `changed` for another client and after a logout, or `error`."""
    page = await browser.new_page()
    answer = await signed_in(site, page, redirect_uri=f"{site.same_site}/cb")
    question = f"{site.clients[0].client_id} {answer['session_state']}"

    async def told(message: str) -> str:
        site.rp.message = message
        await page.goto(f"{site.same_site}/watch")
        await expect(page).not_to_have_title("RP")
        return await page.title()

    assert await told(question) == "unchanged"
    for message in ("", "x", "a b c", f"{question} ", f"{site.clients[0].client_id} x.y"):
        assert await told(message) == "error"
    assert await told(f"another-client {answer['session_state']}") == "changed"
    await site.log_out(page)
    assert await told(question) == "changed"


@pytest.mark.point(25)
async def test_where_the_cookie_is_hidden_the_frame_says_error(browser: Browser, site: TwoSites) -> None:
    """Without third-party cookies, the frame answers `error`, so that clients do not loop."""
    page = await browser.new_page()
    answer = await signed_in(site, page)
    site.rp.message = f"{site.clients[0].client_id} {answer['session_state']}"
    await page.goto(f"{site.base}/watch")
    await expect(page).to_have_title("error")
