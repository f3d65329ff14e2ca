"""An authorization service for tests, and browsers that use it."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest_asyncio
from aiohttp import ClientSession, CookieJar, DummyCookieJar, web
from aiohttp.test_utils import BaseTestServer
from multidict import CIMultiDictProxy

from services.authorization.app import mount
from shared.config.settings import Settings
from shared.identity.passwords import FAST, hash_password
from shared.live import clock
from shared.live.randomness import new_id
from shared.model import AuthorizationCode, User
from shared.oauth.client.record import Client
from shared.oauth.pkce import challenge_of
from shared.oauth.tokens.handle import digest
from shared.oauth.tokens.jwt import sign
from shared.paths import AUTHORIZATION, CONSENT, LOGIN
from shared.server.app import application
from shared.server.resources import KEYRING
from tests.builders import REDIRECT_URI, VERIFIER, World
from tests.deployment import open_world, settings_for
from tests.served import Served

LOCAL_ISSUER = "http://localhost:8080/oidc"
PASSWORD = "correct horse battery staple"
PASSWORD_HASH = hash_password(PASSWORD, FAST)
STATE = "state-of-the-client"

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Page:
    """A complete response."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str
    path: str
    cookies: tuple[str, ...]

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of the form."""
        return {unescape(name): unescape(value) for name, value in _HIDDEN.findall(self.text)}

    @property
    def answer(self) -> dict[str, str]:
        """The parameters that a redirect carries in its query or fragment."""
        url = urlsplit(self.location)
        pairs = parse_qsl(url.fragment or url.query, strict_parsing=True)
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    @property
    def is_at_client(self) -> bool:
        return self.status == 303 and not self.location.startswith("/")


@dataclass(slots=True)
class Browser:
    """A browser with its own cookie jar. It follows redirects within the service only."""

    http: ClientSession
    headers: dict[str, str] = field(default_factory=lambda: {"Accept": "text/html"})

    async def request(self, method: str, path: str, **more: Any) -> Page:
        """One request, and no redirect followed."""
        headers = {**self.headers, **more.pop("headers", {})}
        async with self.http.request(
            method, path, allow_redirects=False, headers=headers, **more
        ) as response:
            text = await response.text()
            cookies = tuple(response.headers.getall("Set-Cookie", ()))
            return Page(response.status, response.headers, text, path, cookies)

    async def get(self, path: str, params: Mapping[str, str] | None = None, **more: Any) -> Page:
        return await self.follow(await self.request("GET", path, params=params, **more))

    async def post(self, path: str, fields: Mapping[str, str], **more: Any) -> Page:
        return await self.follow(await self.request("POST", path, data=fields, **more))

    async def follow(self, page: Page) -> Page:
        """Follow redirects as long as they stay within the service."""
        while page.status == 303 and page.location.startswith("/"):
            page = await self.request("GET", page.location)
        return page

    async def authorize(self, client: Client, **parameters: str) -> Page:
        """A client's request; an empty parameter is left out."""
        return await self.get(AUTHORIZATION.path, a_request(client, **parameters))

    async def log_in(self, page: Page, user: User, password: str = PASSWORD, **more: Any) -> Page:
        """Fill in the login page."""
        fields = {**page.hidden, "username": user.username, "password": password}
        return await self.post(LOGIN.path, fields, **more)

    async def decide(self, page: Page, decision: str = "allow", **more: Any) -> Page:
        """Press a button of the consent page."""
        return await self.post(CONSENT.path, {**page.hidden, "decision": decision}, **more)

    async def sign_in(self, client: Client, user: User, **parameters: str) -> Page:
        """From a client's request to its response, answering every page."""
        page = await self.authorize(client, **parameters)
        if is_login(page):
            page = await self.log_in(page, user)
        if is_consent(page):
            page = await self.decide(page)
        return page

    def cookie(self, name: str) -> str | None:
        """The value of the first cookie whose name holds *name*."""
        return next((cookie.value for cookie in self.http.cookie_jar if name in cookie.key), None)


def a_request(client: Client, **parameters: str) -> dict[str, str]:
    """A valid authorization request; an empty parameter is left out."""
    whole = {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "response_type": "code",
        "scope": "openid email",
        "state": STATE,
        "nonce": "n-0S6_WzA2Mj",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        **parameters,
    }
    return {name: value for name, value in whole.items() if value}


def is_login(page: Page) -> bool:
    return page.status == 200 and 'id="login-submit"' in page.text


def is_consent(page: Page) -> bool:
    return page.status == 200 and 'id="consent-allow"' in page.text


def is_error_page(page: Page) -> bool:
    """4xx on our own origin, without a redirect, a token or untrusted text."""
    return (
        400 <= page.status < 500
        and not page.location
        and "Something went wrong" in page.text
        and "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        and page.headers["X-Frame-Options"] == "DENY"
        and page.headers["Cache-Control"] == "no-store"
    )


@dataclass(slots=True)
class AuthorizationService:
    """An authorization service over HTTP, its stores, and its browsers."""

    app: web.Application
    server: BaseTestServer
    world: World
    settings: Settings
    browsers: list[ClientSession] = field(default_factory=list)

    def browser(self, *, has_jar: bool = True) -> Browser:
        """A browser without cookies."""
        jar = CookieJar(unsafe=True) if has_jar else DummyCookieJar()
        http = ClientSession(self.server.make_url("/"), cookie_jar=jar)
        self.browsers.append(http)
        return Browser(http)

    async def user(self, **fields: Any) -> User:
        """A user with PASSWORD."""
        user_id = new_id()
        defaults = {"username": f"ada-{user_id.hex[:12]}", "claims": {"email": f"{user_id.hex}@example.org"}}
        user = User(**{"user_id": user_id, **defaults, **fields})
        await self.world.stores.users.add(user, PASSWORD_HASH)
        return user

    async def client(self, **fields: Any) -> Client:
        """A confidential client of one redirect URI."""
        return await self.world.client(**{"redirect_uris": (REDIRECT_URI,), **fields})

    async def code(self, page: Page) -> AuthorizationCode:
        """The record of the code in a response."""
        assert page.is_at_client, (page.status, page.text)
        assert "code" in page.answer, page.answer
        code = await self.world.stores.codes.find(digest(page.answer["code"]))
        assert code is not None
        return code

    async def id_token(self, browser: Browser, client: Client, typ: str = "JWT", **others: Any) -> str:
        """An expired ID token of this browser's session, signed by us; *others* are claims instead."""
        code = await self.code(await browser.authorize(client, prompt="none"))
        claims = {
            "iss": LOCAL_ISSUER,
            "sub": str(code.authorization.user_id),
            "sid": str(code.authorization.sid),
            "aud": [client.client_id],
            "exp": 1,
            **others,
        }
        return sign(self.app[KEYRING].known.signer("ES256", clock.now()), claims, typ)


@asynccontextmanager
async def serve_authorization(settings: Settings, world: World) -> AsyncIterator[AuthorizationService]:
    """An authorization service of a world."""
    app = application(settings, mount)
    async with Served(app) as server:
        service = AuthorizationService(app, server, world, settings)
        try:
            yield service
        finally:
            for http in service.browsers:
                await http.close()


@pytest_asyncio.fixture(scope="module")
async def authorization_service(
    module_database_url: str, module_redis_url: str
) -> AsyncIterator[AuthorizationService]:
    """An authorization service whose rate limits are off, on the loop of a module's tests."""
    settings = settings_for(
        module_database_url, module_redis_url, issuer=LOCAL_ISSUER, rate_limits="off", root_aliases="on"
    )
    async with open_world(settings) as world, serve_authorization(settings, world) as service:
        yield service
