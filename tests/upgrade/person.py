"""A person at a client: everything that a sign-in gives, which every later release must take."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt
from aiohttp import ClientSession, CookieJar

from shared.oauth.pkce import challenge_of
from shared.oauth.supported import DEVICE_CODE
from shared.paths import (
    AUTHORIZATION,
    DEVICE,
    DEVICE_AUTHORIZATION,
    END_SESSION,
    INTROSPECTION,
    JWKS,
    PUSHED_AUTHORIZATION_REQUEST,
    REGISTRATION,
    TOKEN,
    USERINFO,
)
from tests.builders import REDIRECT_URI, VERIFIER
from tests.deployment import basic, bearer
from tests.flow.visitor import FormParser, Visitor

Json = Mapping[str, Any]
SCOPE = "openid profile email offline_access"


@dataclass(frozen=True, slots=True)
class Account:
    """Where everything happens, and by whom."""

    issuer: str
    client_id: str
    client_secret: str
    username: str
    password: str

    @property
    def origin(self) -> str:
        return self.issuer.removesuffix("/oidc")

    @asynccontextmanager
    async def person(self) -> AsyncIterator["Person"]:
        """A person with a browser of their own."""
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
            yield Person(self, Visitor(http, self.origin, self.username, self.password))


@dataclass(slots=True)
class Person:
    """Signs in, and keeps what that gives: a session, tokens, and clients that they registered."""

    account: Account
    browser: Visitor
    id_tokens: list[str] = field(default_factory=list)
    access_tokens: list[str] = field(default_factory=list)
    refresh_tokens: list[str] = field(default_factory=list)
    registrations: list[Json] = field(default_factory=list)

    async def sign_in(self, **parameters: str) -> Json:
        """A sign-in, to the tokens."""
        query = {**self._request(), **parameters}
        code = (await self.browser.authorize(f"{AUTHORIZATION}?{urlencode(query)}"))["code"]
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        return await self._post(TOKEN.path, {**grant, "code_verifier": VERIFIER})

    async def gain(self) -> None:
        """Sign in once more, and register a client; keep what comes of it."""
        tokens = await self.sign_in()
        self.id_tokens.append(tokens["id_token"])
        self.access_tokens.append(tokens["access_token"])
        self.refresh_tokens.append(tokens["refresh_token"])
        metadata = {"redirect_uris": [REDIRECT_URI], "client_name": "Kept"}
        async with self.browser.http.post(self.account.origin + REGISTRATION.path, json=metadata) as response:
            assert response.status == 201, await response.text()
            self.registrations.append(await response.json())

    async def use(self) -> None:
        """Use everything that was ever gained. Each is as good as on the first day."""
        await self.sign_in(prompt="none")  # the session
        self.refresh_tokens = [await self._refreshed(token) for token in self.refresh_tokens]
        for token in self.access_tokens:
            assert (await self._post(INTROSPECTION.path, {"token": token}))["active"] is True
            assert (await self._get(USERINFO.path, bearer(token)))["email"]
        keys = jwt.PyJWKSet.from_dict(dict(await self._get(JWKS.path)))
        for id_token in self.id_tokens:
            key = keys[jwt.get_unverified_header(id_token)["kid"]]
            jwt.decode(id_token, key, audience=self.account.client_id, issuer=self.account.issuer)
        for client in self.registrations:
            uri = client["registration_client_uri"]
            read = await self._get(
                uri.removeprefix(self.account.origin), bearer(client["registration_access_token"])
            )
            assert read["client_id"] == client["client_id"]

    async def push(self) -> None:
        """A pushed authorization request, used with the session."""
        pushed = await self._post(
            PUSHED_AUTHORIZATION_REQUEST.path, {**self._request(), "prompt": "none"}, 201
        )
        names = {"client_id": self.account.client_id, "request_uri": pushed["request_uri"]}
        assert (await self.browser.authorize(f"{AUTHORIZATION}?{urlencode(names)}"))["code"]

    async def approve_a_device(self) -> None:
        """A device polls before and after the person approves it in the browser."""
        asked = await self._post(DEVICE_AUTHORIZATION.path, {"scope": "openid"})
        grant = {"grant_type": DEVICE_CODE, "device_code": asked["device_code"]}
        assert (await self._post(TOKEN.path, grant, 400))["error"] == "authorization_pending"
        page = await self._page("GET", {})
        page = await self._page("POST", {**page.fields, "user_code": asked["user_code"]})
        await self._page("POST", {**page.fields, "decision": "allow"})
        assert (await self._post(TOKEN.path, grant))["id_token"]

    async def sign_in_elsewhere_and_out(self) -> None:
        """A new browser: password and consent page, and a logout that ends the session and its tokens."""
        async with self.account.person() as elsewhere:
            tokens = await elsewhere.sign_in(prompt="consent", scope="openid profile email")
            url = f"{self.account.origin}{END_SESSION}?{urlencode({'id_token_hint': tokens['id_token']})}"
            async with elsewhere.browser.http.get(url) as response:
                assert response.status == 200, await response.text()
            query = urlencode({**self._request(), "prompt": "none"})
            assert (await elsewhere.browser.authorize(f"{AUTHORIZATION}?{query}"))[
                "error"
            ] == "login_required"
            token = {"token": tokens["access_token"]}
            assert (await self._post(INTROSPECTION.path, token))["active"] is False

    def _request(self) -> dict[str, str]:
        return {
            "client_id": self.account.client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "state": "a-state-that-is-long-enough",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }

    async def _refreshed(self, refresh_token: str) -> str:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return str((await self._post(TOKEN.path, form))["refresh_token"])

    async def _page(self, method: str, fields: Mapping[str, str]) -> FormParser:
        """The first form of a page of the device flow."""
        headers = {"Accept": "text/html"}
        async with self.browser.http.request(
            method, self.account.origin + DEVICE.path, data=fields, headers=headers
        ) as response:
            text = await response.text()
            assert response.status == 200, text
        form = FormParser()
        form.feed(text)
        return form

    async def _post(self, path: str, form: Mapping[str, str], status: int = 200) -> Json:
        headers = basic(self.account.client_id, self.account.client_secret)
        url = self.account.origin + path
        async with self.browser.http.post(url, data=form, headers=headers) as response:
            assert response.status == status, f"{path}: {response.status} {await response.text()}"
            body: Json = await response.json()
            return body

    async def _get(self, path: str, headers: Mapping[str, str] | None = None) -> Json:
        async with self.browser.http.get(self.account.origin + path, headers=headers) as response:
            assert response.status == 200, f"{path}: {response.status} {await response.text()}"
            body: Json = await response.json()
            return body
