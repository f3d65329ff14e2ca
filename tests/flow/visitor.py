"""A person with a browser without script, and all services behind one address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import ClientResponse, ClientSession, CookieJar

from services.accounts.app import mount as accounts
from services.authorization.app import mount as authorization
from services.client_registry.app import mount as client_registry
from services.discovery.app import mount as discovery
from services.token.app import mount as token
from shared.config.settings import Settings
from shared.server.app import application
from tests.served import Served

ALL = (discovery, authorization, token, client_registry, accounts)
MAX_STEPS = 10


@asynccontextmanager
async def serve_all(settings: Settings) -> AsyncIterator[Served]:
    """Every service in one process, on a port of its own."""
    server = Served(application(settings, *ALL), skip_url_asserts=True)
    await server.start_server()
    try:
        yield server
    finally:
        await server.close()


@dataclass
class FormParser(HTMLParser):
    """The first form of a page: where it goes, and what a person who only presses a button sends."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = given.get("action", "")
        if tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        if tag == "button" and "id" in given:
            own = {given["name"]: given.get("value", "")} if "name" in given else {}
            self.buttons[given["id"]] = own


@dataclass(frozen=True, slots=True)
class Visitor:
    """Follows redirects as long as they stay with us, and fills in the forms on the way."""

    http: ClientSession
    base: str
    username: str
    password: str

    def _url(self, location: str) -> str:
        url = urlsplit(location)
        return self.base + url.path + (f"?{url.query}" if url.query else "")

    async def authorize(self, path: str) -> dict[str, str]:
        """From an authorization request to the parameters of the response at the client's redirect URI."""
        response = await self._get(self._url(path))
        for _ in range(MAX_STEPS):
            if location := response.headers.get("Location"):
                if not urlsplit(location).path.startswith("/oidc/") or "code=" in location:
                    return dict(parse_qsl(urlsplit(location).query))
                response = await self._get(self._url(location))
                continue
            response = await self._press(response)
        raise AssertionError("the authorization request does not end")

    async def _get(self, url: str) -> ClientResponse:
        return await self.http.get(url, allow_redirects=False, headers={"Accept": "text/html"})

    async def _press(self, response: ClientResponse) -> ClientResponse:
        text = await response.text()
        assert response.status == 200, text
        form = FormParser()
        form.feed(text)
        known = {"username": self.username, "password": self.password}
        button = next(each for each in ("login-submit", "consent-allow") if each in form.buttons)
        fields = form.fields | {name: known[name] for name in known.keys() & form.fields.keys()}
        action = form.action or str(response.url)
        return await self.http.post(
            self._url(action), data=fields | form.buttons[button], allow_redirects=False
        )


@asynccontextmanager
async def visit(server: Served, username: str, password: str) -> AsyncIterator[Visitor]:
    """A browser that keeps cookies."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        yield Visitor(http, str(server.make_url("")).rstrip("/"), username, password)


async def members(response: ClientResponse) -> Any:
    """The JSON of a successful answer."""
    assert response.status == 200, await response.text()
    return await response.json()
