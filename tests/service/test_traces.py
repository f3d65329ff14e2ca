"""Traces as a collector receives them: a whole sign-in, and what goes wrong on the way."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer

from shared.config.settings import Settings
from shared.oauth.client.record import Client
from shared.oauth.pkce import challenge_of
from shared.oauth.tokens.handle import Kind
from shared.paths import AUTHORIZATION, DEVICE, JWKS, TOKEN, USERINFO
from shared.server.app import application
from shared.server.traces.recorder import TRACES
from shared.server.traces.spans import Attribute
from shared.store.postgres.transport.database import Database
from tests.authorization import LOCAL_ISSUER, PASSWORD, PASSWORD_HASH
from tests.builders import REDIRECT_URI, SECRET, VERIFIER, World
from tests.deployment import basic, bearer, open_world, settings_for
from tests.flow.visitor import ALL, Visitor, serve_all
from tests.planted import planted
from tests.planted.traces import continues_any_trace, tells_the_target
from tests.served import Served

TRACE = "0af7651916cd43dd8448eb211c80319c"
REQUEST_ID = TRACE[::-1]
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
STATE, NONCE = "a-state-that-nobody-guesses", "a-nonce-that-nobody-guesses"


@dataclass(slots=True)
class Collector:
    """Receives spans over OTLP/HTTP. *status*: its answer; while *is_silent*, it gives none."""

    status: int = 200
    is_silent: bool = False
    bodies: list[bytes] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.Response:
        self.arrived.set()
        if self.is_silent:
            await self.is_over.wait()
        assert request.content_type == "application/json"
        self.bodies.append(await request.read())
        return web.Response(status=self.status)

    def spans(self) -> list[Any]:
        """Every span, with its attributes as a dictionary."""
        found = []
        for body in self.bodies:
            for resource in orjson.loads(body)["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    found += [span | {"attributes": _values(span["attributes"])} for span in scope["spans"]]
        return found


def _values(attributes: list[Any]) -> Mapping[str, str]:
    return {each["key"]: str(next(iter(each["value"].values()))) for each in attributes}


@asynccontextmanager
async def _collecting(collector: Collector) -> AsyncIterator[str]:
    """Its address."""
    app = web.Application()
    app.router.add_post("/v1/traces", collector.receive)
    server = TestServer(app)
    await server.start_server()
    try:
        yield str(server.make_url(""))
    finally:
        collector.is_over.set()
        await server.close()


@asynccontextmanager
async def _served(
    database_url: str, redis_url: str, endpoint: str, **others: str
) -> AsyncIterator[tuple[Served, World]]:
    """Every service in one process, which traces every request. Its last spans arrive when it ends."""
    own = {"issuer": LOCAL_ISSUER, "traces_endpoint": endpoint, "traces_sample": "1", **others}
    settings = settings_for(database_url, redis_url, **own)
    async with open_world(settings) as world, serve_all(settings) as server:
        yield server, world


async def _sign_in(server: Served, world: World) -> tuple[Client, list[str]]:
    """A sign-in with password and consent. Returns everything that must stay secret, or is personal."""
    client = await world.client()
    user = await world.user()
    await world.stores.credentials.set_password(user.user_id, PASSWORD_HASH)
    base = str(server.make_url("")).rstrip("/")
    request = {
        "client_id": client.client_id,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile email offline_access",
        "state": STATE,
        "nonce": NONCE,
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        visitor = Visitor(http, base, user.username, PASSWORD)
        code = (await visitor.authorize(f"{AUTHORIZATION}?{urlencode(request)}"))["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        tokens = await _json(http, base + TOKEN.path, client, {**form, "code_verifier": VERIFIER})
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        again = await _json(http, base + TOKEN.path, client, form)
        async with http.get(base + USERINFO.path, headers=bearer(tokens["access_token"])) as response:
            assert response.status == 200
        cookies = [cookie.value for cookie in http.cookie_jar]
    assert cookies
    secrets = [*cookies, code, VERIFIER, SECRET, PASSWORD, STATE, NONCE, user.username, user.claims["email"]]
    issued = [tokens["access_token"], tokens["refresh_token"], tokens["id_token"], again["refresh_token"]]
    return client, [*map(str, (*secrets, *issued)), str(user.user_id)]


async def _json(http: ClientSession, url: str, client: Client, form: Mapping[str, str]) -> Any:
    async with http.post(url, data=form, headers=basic(client.client_id)) as response:
        assert response.status == 200, await response.text()
        return await response.json()


@planted(tells_the_target)
async def test_a_sign_in_is_traced_without_its_secrets(database_url: str, redis_url: str) -> None:
    """Three spans a request at most, whose attributes are all on the list, and no secret in any of them."""
    collector = Collector()
    async with (
        _collecting(collector) as endpoint,
        _served(database_url, redis_url, endpoint) as (server, world),
    ):
        _, secrets = await _sign_in(server, world)
    spans, whole = collector.spans(), b"".join(collector.bodies).decode()
    assert [secret for secret in secrets if secret in whole] == []
    assert [kind for kind in Kind if f"{kind}_" in whole.replace("_OTHER", "")] == []
    assert {name for span in spans for name in span["attributes"]} <= {*Attribute}
    redemption = next(span for span in spans if span["name"] == f"POST {TOKEN}")
    below = {span["name"]: span for span in spans if span["parentSpanId"] == redemption["spanId"]}
    assert {*below} == {"redis", "postgresql"}
    assert all(span["traceId"] == redemption["traceId"] for span in below.values())
    assert redemption["attributes"][Attribute.REQUEST_ID] == redemption["traceId"]
    for span in below.values():
        began, ended = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        assert int(redemption["startTimeUnixNano"]) <= began <= ended <= int(redemption["endTimeUnixNano"])


async def _traced(database_url: str, redis_url: str, trusted_proxies: str) -> tuple[set[str], set[str]]:
    """Sends identifiers as a proxy does. Returns the request ids of the answers, and the traces."""
    collector, request_ids = Collector(), set()
    async with (
        _collecting(collector) as endpoint,
        _served(database_url, redis_url, endpoint, trusted_proxies=trusted_proxies) as (server, _),
        ClientSession() as http,
    ):
        for headers in ({"traceparent": TRACEPARENT}, {"X-Request-Id": REQUEST_ID}):
            async with http.get(server.make_url(DEVICE.path), headers=headers) as response:
                request_ids.add(response.headers["X-Request-Id"])
    return request_ids, {span["traceId"] for span in collector.spans()}


async def test_a_trusted_proxy_continues_its_trace(database_url: str, redis_url: str) -> None:
    """By its `traceparent`, or else by its request id."""
    both = {TRACE, REQUEST_ID}
    assert await _traced(database_url, redis_url, "127.0.0.0/8") == (both, both)


@planted(continues_any_trace)
async def test_a_stranger_continues_no_trace(database_url: str, redis_url: str) -> None:
    """They could have every request traced, or mix up the traces of others."""
    request_ids, traces = await _traced(database_url, redis_url, "unix")
    assert len(request_ids) == 2
    assert request_ids == traces
    assert not {TRACE, REQUEST_ID} & traces


@pytest.mark.parametrize(
    "collector", [Collector(status=503), Collector(is_silent=True)], ids=["503", "silent"]
)
async def test_requests_do_not_notice_a_collector_that_fails(
    collector: Collector, database_url: str, redis_url: str
) -> None:
    """The spans are lost, and nothing else."""
    async with (
        _collecting(collector) as endpoint,
        _served(database_url, redis_url, endpoint) as (server, world),
        ClientSession() as http,
    ):
        async with http.get(server.make_url(JWKS.path)) as response:
            assert response.status == 200
        await collector.arrived.wait()
        await _sign_in(server, world)


async def test_nothing_is_traced_by_default(database_url: str, redis_url: str) -> None:
    """No recorder, and the stores as they are."""
    settings = settings_for(database_url, redis_url)
    assert TRACES not in application(settings, *ALL)
    async with open_world(settings) as world:
        assert type(world.database) is Database


@pytest.mark.parametrize(
    ("endpoint", "whole"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://collector.example/otlp/v1/traces", "https://collector.example/otlp/v1/traces"),
    ],
)
def test_the_endpoint_may_be_the_collector_or_its_path(endpoint: str, whole: str) -> None:
    """As OpenTelemetry's own variables have it."""
    assert Settings(traces_endpoint=endpoint).traces_endpoint == whole
