"""Signing in and out in Chromium, with its cookies, origin checks and policies."""

import socket
from base64 import b32decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from services.authorization.app import mount
from shared.identity.passwords import hash_password
from shared.live.randomness import new_id
from shared.model import User
from shared.oauth.client.record import Client
from shared.oauth.pkce import challenge_of
from shared.paths import AUTHORIZATION, END_SESSION
from shared.server.app import application
from shared.server.http.server import Runner
from tests.authenticator import Authenticator
from tests.builders import VERIFIER, World, a_client
from tests.deployment import open_world, settings_for
from tests.passkeys import a_phone, add_passkey
from tests.second_factors import code

PASSWORD = "correct horse battery staple"


@asynccontextmanager
async def served(runner: web.BaseRunner, listening: socket.socket) -> AsyncIterator[None]:
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()


def free_socket() -> socket.socket:
    """Bound to a free loopback port."""
    return socket.create_server(("127.0.0.1", 0))


async def callback(request: web.Request) -> web.Response:
    """A client that shows the response, in any response mode."""
    sent = await request.post() if request.method == "POST" else request.query
    return web.Response(
        text=f"arrived {urlencode(sorted((name, str(value)) for name, value in sent.items()))}"
    )


class BrowserDeployment:
    """An authorization service and a client on two origins, and a user."""

    def __init__(self, origin: str, client: Client, user: User, world: World) -> None:
        self.origin = origin
        self.world = world
        self.client = client
        self.user = user

    def request(self, **parameters: str) -> str:
        whole = {
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "response_type": "code",
            "scope": "openid email",
            "state": "s",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **parameters,
        }
        return f"{self.origin}{AUTHORIZATION}?{urlencode(whole)}"

    async def sign_in(self, page: Page) -> None:
        await page.fill("#username", self.user.username)
        await page.fill("#password", PASSWORD)
        await page.click("#login-submit")


async def arrived(page: Page) -> dict[str, str]:
    """The response that the client got."""
    await expect(page.locator("body")).to_contain_text("arrived")
    return dict(parse_qsl((await page.locator("body").inner_text()).removeprefix("arrived ")))


@pytest.fixture
async def deployment(database_url: str, redis_url: str) -> AsyncIterator[BrowserDeployment]:
    """The OP at `localhost` and the client at 127.0.0.1, which are two sites."""
    ours, theirs = free_socket(), free_socket()
    origin = f"http://localhost:{ours.getsockname()[1]}"
    settings = settings_for(
        database_url, redis_url, issuer=f"{origin}/oidc", rate_limits="off", sign_up="open"
    )
    rp = web.Application()
    rp.router.add_route("*", "/cb", callback)
    rp.router.add_route("*", "/gone", callback)
    base = f"http://127.0.0.1:{theirs.getsockname()[1]}"
    client = a_client(redirect_uris=(f"{base}/cb",), post_logout_redirect_uris=(f"{base}/gone",))
    user = User(user_id=new_id(), username="ada")
    async with open_world(settings) as world:
        await world.stores.clients.add(client)
        await world.stores.users.add(user, hash_password(PASSWORD))
        async with served(Runner(application(settings, mount)), ours), served(web.AppRunner(rp), theirs):
            yield BrowserDeployment(origin, client, user, world)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_person_signs_in_and_out(
    browser: Browser, deployment: BrowserDeployment, script: bool
) -> None:
    """Login, consent and logout work although the client is another site."""
    page = await (await browser.new_context(java_script_enabled=script)).new_page()
    await page.goto(deployment.request())
    await deployment.sign_in(page)
    await page.click("#consent-allow")
    answer = await arrived(page)
    assert answer.keys() == {"code", "state", "iss", "session_state"}
    await page.goto(deployment.request(prompt="none"))
    assert "code" in await arrived(page)
    query = urlencode(
        {
            "client_id": deployment.client.client_id,
            "post_logout_redirect_uri": deployment.client.post_logout_redirect_uris[0],
            "state": "bye",
        }
    )
    await page.goto(f"{deployment.origin}{END_SESSION}?{query}")
    await page.click("#logout-confirm")
    assert await arrived(page) == {"state": "bye"}
    assert urlsplit(page.url).path == "/gone"
    await page.goto(deployment.request(prompt="none"))
    assert (await arrived(page))["error"] == "login_required"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_person_adds_an_app_and_signs_in_with_it(
    browser: Browser, deployment: BrowserDeployment, script: bool
) -> None:
    """By keyboard: a client demands a second factor; later a code, and without the phone a recovery code."""
    demanding = deployment.request(
        claims='{"id_token": {"acr": {"essential": true, "value": "urn:ostiary:acr:mfa"}}}'
    )
    page = await (await browser.new_context(java_script_enabled=script)).new_page()
    await page.goto(demanding)
    await deployment.sign_in(page)
    await page.locator("#code").focus()  # after the passkey, which is offered first
    secret = b32decode((await page.locator("#secret").inner_text()).replace(" ", ""))
    await page.keyboard.type(code(secret))
    await page.keyboard.press("Enter")
    await expect(page.locator("#recovery-codes code")).to_have_count(10)
    codes = await page.locator("#recovery-codes code").all_inner_texts()
    await page.locator("#recovery-continue").press("Enter")
    await page.click("#consent-allow")
    assert "code" in await arrived(page)

    for typed, field in ((code(secret, later=1), "#code"), (codes[0], "#recovery_code")):
        page = await (await browser.new_context(java_script_enabled=script)).new_page()
        await page.goto(deployment.request())
        await deployment.sign_in(page)
        await expect(page.locator("#code")).to_be_focused()
        if field == "#recovery_code":
            await page.locator("summary").press("Enter")
        await page.locator(field).press_sequentially(typed)
        await page.keyboard.press("Enter")
        assert "code" in await arrived(page)


@pytest.mark.point(8)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_stranger_signs_up(browser: Browser, deployment: BrowserDeployment, script: bool) -> None:
    """Sign-up from the login page, with a taken name first, ends at the client."""
    page = await (await browser.new_context(java_script_enabled=script)).new_page()
    await page.goto(deployment.request())
    await page.click("#sign-up")
    await page.fill("#username", deployment.user.username)
    await page.fill("#password", PASSWORD)
    await page.fill("#email", "zoe@example.org")
    await page.click("#signup-submit")
    await expect(page.locator("#fault")).to_contain_text("taken")
    assert await page.input_value("#email") == "zoe@example.org"
    await page.fill("#username", "zoe")
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await expect(page.locator(".lead")).to_contain_text("signed in as zoe")
    await page.click("#consent-allow")
    assert "code" in await arrived(page)
    await page.goto(deployment.request(prompt="create"))
    await page.click("#sign-in")
    await deployment.sign_in(page)
    await page.click("#consent-allow")
    assert "code" in await arrived(page)


@pytest.mark.point(5)
async def test_a_form_of_the_client_s_site_finds_the_session(
    browser: Browser, deployment: BrowserDeployment
) -> None:
    """A cross-site POST is redirected by 303, so that the Lax cookie is sent; so does form_post back."""
    page = await browser.new_page()
    await page.goto(deployment.request(response_mode="form_post"))
    await deployment.sign_in(page)
    await page.click("#consent-allow")
    assert "code" in await arrived(page)
    url = urlsplit(deployment.request(prompt="none"))
    fields = "".join(f'<input name="{name}" value="{value}">' for name, value in parse_qsl(url.query))
    action = url._replace(query="").geturl()
    await page.goto(deployment.client.redirect_uris[0])
    await page.set_content(f'<form method="post" action="{action}">{fields}<button>go</button></form>')
    await page.click("button")
    assert "code" in await arrived(page)


@pytest.mark.parametrize("by", ["suggestion", "button"])
async def test_a_person_signs_in_with_a_passkey(
    browser: Browser, deployment: BrowserDeployment, by: str
) -> None:
    """The browser suggests it at the user name; where it is not taken there, a button asks for it."""
    page = await (await browser.new_context()).new_page()
    passkey = Authenticator(deployment.origin)
    await add_passkey(deployment.world, deployment.user, passkey, deployment.origin)
    phone = await a_phone(page)
    await phone.keep(passkey, deployment.user)
    if by == "button":
        await page.add_init_script("delete PublicKeyCredential.isConditionalMediationAvailable")
    await page.goto(deployment.request())
    if by == "button":
        await page.click("#passkey-login")
    await page.click("#consent-allow")
    assert "code" in await arrived(page)


async def test_a_person_confirms_a_password_with_a_passkey(
    browser: Browser, deployment: BrowserDeployment
) -> None:
    """Where the client demands a second factor, one press of the button is it."""
    page = await (await browser.new_context()).new_page()
    authenticator = Authenticator(deployment.origin)
    await add_passkey(deployment.world, deployment.user, authenticator, deployment.origin)
    claims = '{"id_token": {"acr": {"essential": true, "value": "urn:ostiary:acr:mfa"}}}'
    await page.goto(deployment.request(claims=claims))
    await deployment.sign_in(page)
    await expect(page.locator("h1")).to_have_text("Confirm with your passkey")
    phone = await a_phone(page)
    await phone.keep(authenticator, deployment.user)
    await page.click("#passkey-login")
    await page.click("#consent-allow")
    assert "code" in await arrived(page)


async def test_without_script_no_passkey_is_offered(browser: Browser, deployment: BrowserDeployment) -> None:
    """The button does nothing then, so it is not shown; the password works."""
    page = await (await browser.new_context(java_script_enabled=False)).new_page()
    await page.goto(deployment.request())
    await expect(page.locator("#passkey-login")).to_be_hidden()
    await deployment.sign_in(page)
    await expect(page.locator("#consent-allow")).to_be_visible()
