"""Leaked signing keys, and a client's key that uses the `kid` of the server's."""

import asyncio
from collections.abc import AsyncIterator

import jwt
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient
from cryptography.hazmat.primitives.asymmetric import ec

from services.discovery.app import mount as discovery
from shared.live import clock
from shared.oauth.tokens.jwt import sign, unverified_header
from shared.oauth.tokens.keys import public_jwk
from shared.operations.keys import retire_key
from shared.paths import END_SESSION, JWKS
from shared.server.app import application
from shared.server.resources import KEYRING, WATCH
from tests.deployment import unverified
from tests.front_channel import Services
from tests.served import Served

Http = TestClient[web.Request, web.Application]


@pytest_asyncio.fixture(scope="module")
async def documents(provider: Services) -> AsyncIterator[Http]:
    """The discovery service of the deployment."""
    async with TestClient(Served(application(provider.op.settings, discovery))) as http:
        yield http


async def shown_kids(documents: Http) -> set[str]:
    """The kids in the JWK Set."""
    response = await documents.get(JWKS.path)
    return {key["kid"] for key in (await response.json())["keys"]}


async def test_a_leaked_key_signs_and_proves_nothing_any_more(provider: Services, documents: Http) -> None:
    """A compromised key leaves the JWK Set and signs nothing, and everything that it signed is rejected."""
    op, tokens = provider.op, provider.tokens
    client, browser = await provider.client(access_token_format="jwt"), op.browser()
    page = await browser.sign_in(client, await op.user())
    before = await (await tokens.redeem(client, page.answer["code"])).json()
    kid = unverified_header(before["access_token"]).kid
    leaked = op.app[KEYRING].known.signer("ES256", clock.now())
    assert leaked.kid == kid
    assert kid in await shown_kids(documents)
    assert (await tokens.userinfo(before["access_token"])).status == 200

    await retire_key(provider.world.stores.keys, leaked.kid, op.settings, clock.now(), is_compromised=True)
    for app in (op.app, tokens.http.app, documents.app):
        assert app is not None
        await app[WATCH].poll()  # which each process does twice a second
        app[KEYRING].confirmed()
    async with asyncio.timeout(30):
        while kid in await shown_kids(documents):
            await asyncio.sleep(0.1)

    forged = sign(leaked, unverified(before["access_token"]), "at+jwt")
    hint = sign(leaked, unverified(before["id_token"]), "JWT")
    for value in (before["access_token"], forged):
        assert (await tokens.userinfo(value)).status == 401
        assert await tokens.introspect(client, value) == {"active": False}
    for value in (before["id_token"], hint):
        page = await browser.authorize(client, prompt="none", id_token_hint=value)
        assert page.answer["error"] == "invalid_request"
        assert 'id="logout-confirm"' in (await browser.get(END_SESSION.path, {"id_token_hint": value})).text
    page = await browser.authorize(client, prompt="none")
    after = await (await tokens.redeem(client, page.answer["code"])).json()
    for name in ("access_token", "id_token"):
        assert unverified_header(after[name]).kid in await shown_kids(documents) - {kid}
    assert (await tokens.userinfo(after["access_token"])).status == 200


async def test_a_client_s_key_under_our_kid_is_the_client_s_alone(
    provider: Services, documents: Http
) -> None:
    """It authenticates the client, but signs no valid tokens, and the JWK Set does not change."""
    ours = provider.op.app[KEYRING].known.signer("ES256", clock.now())
    theirs, shown = ec.generate_private_key(ec.SECP256R1()), await shown_kids(documents)
    jwks = {"keys": [{**public_jwk(theirs.public_key()), "kid": ours.kid}]}
    client = await provider.client(jwks=jwks, access_token_format="jwt")
    browser = provider.op.browser()
    page = await browser.sign_in(client, await provider.op.user())
    tokens = await (await provider.tokens.redeem(client, page.answer["code"])).json()
    for name, typ in (("access_token", "at+jwt"), ("id_token", "JWT")):
        forged = jwt.encode(unverified(tokens[name]), theirs, "ES256", headers={"kid": ours.kid, "typ": typ})
        assert (await provider.tokens.userinfo(forged)).status == 401
        assert await provider.tokens.introspect(client, forged) == {"active": False}
        page = await browser.authorize(client, prompt="none", id_token_hint=forged)
        assert page.answer["error"] == "invalid_request"
    assert (await provider.tokens.userinfo(tokens["access_token"])).status == 200
    assert await shown_kids(documents) == shown
