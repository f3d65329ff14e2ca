"""Signing in with Chromium: the pages, and the response."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from tests.flow.op import Op
from tests.interop.chromium import new_page, sign_in
from tests.interop.listener import listening
from tests.interop.relying_party import AUTHLIB, conversation

SCOPE = "openid profile offline_access"


async def test_a_person_signs_in(op: Op, tmp_path: Path) -> None:
    """Login and consent pages over https, with a response that Authlib accepts."""

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
        with conversation(AUTHLIB.program, op.ca_file, given) as talk:
            await page.goto((await asyncio.to_thread(talk.hear))["authorization_url"])
            assert await page.inner_text("h1") == "Sign in"
            await sign_in(op, page)
            await page.wait_for_url(f"{redirect_uri}?*")
            talk.say(page.url)
            learned = await asyncio.to_thread(talk.hear)
    assert learned["claims"]["iss"] == op.issuer
    assert learned["userinfo"]["preferred_username"] == op.username


@pytest.mark.point(5)
@pytest.mark.parametrize("response_mode", ["form_post", "form_post.jwt"])
async def test_chromium_posts_a_hybrid_answer(every_type: Op, response_mode: str, tmp_path: Path) -> None:
    """Form Post Response Mode with script: the page submits itself under our content security policy."""
    posted: list[dict[str, str]] = []

    async def callback(request: web.Request) -> web.Response:
        posted.append({name: str(value) for name, value in (await request.post()).items()})
        return web.Response(text="<title>back</title>", content_type="text/html")

    app = web.Application()
    app.router.add_post("/callback", callback)
    async with listening(app) as port, new_page(every_type, tmp_path) as page:
        redirect_uri = f"http://localhost:{port}/callback"
        client = await asyncio.to_thread(
            every_type.add_client,
            client_name="Posted to",
            redirect_uris=[redirect_uri],
            grant_types=["authorization_code", "implicit"],
            response_types=["code id_token token"],
            scope="openid",
        )
        query = (
            f"client_id={client['client_id']}&redirect_uri={redirect_uri}&response_type=code id_token token"
            f"&response_mode={response_mode}&scope=openid&state=s&nonce=n"
        )
        await page.goto(f"{every_type.metadata()['authorization_endpoint']}?{query}")
        await sign_in(every_type, page)
        await page.wait_for_url(redirect_uri)
    assert urlsplit(page.url).query == ""
    members = {"code", "id_token", "access_token", "token_type", "expires_in", "scope", "state", "iss"}
    members.add("session_state")
    assert posted[0].keys() == ({"response"} if response_mode.endswith("jwt") else members)
    assert len(posted) == 1
