"""A deployment for tests: its settings, its stores with helpers for records, and a token service."""

import base64
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
import pytest_asyncio
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from services.token.app import mount
from shared.codec.base64url import from_base64url
from shared.config.environment import read_settings
from shared.config.settings import Settings
from shared.live import clock
from shared.model import AuthorizationCode
from shared.oauth.client.record import Client
from shared.operations.keys import ensure_keys
from shared.paths import INTROSPECTION, REVOCATION, TOKEN, USERINFO
from shared.server.app import application
from shared.store.open import open_stores
from shared.store.postgres.transport.database import Database
from shared.store.redis.replay_marks import BUCKETS, epoch_key
from shared.store.redis.transport.client import RedisClient
from tests.builders import REDIRECT_URI, SECRET, VERIFIER, World
from tests.planted.plugin import planted_defect
from tests.served import Served

ISSUER = "https://id.example.org/oidc"
SECRET_KEY = "s" * 32

Form = Mapping[str, str]


def settings_for(database_url: str, redis_url: str, **others: str) -> Settings:
    """A deployment's settings; *others* by their names without the prefix."""
    return read_settings(
        {
            "OSTIARY_ISSUER": ISSUER,
            "OSTIARY_DATABASE_URL": database_url,
            "OSTIARY_REDIS_URL": redis_url,
            "OSTIARY_SECRET_KEY": SECRET_KEY,
            **{f"OSTIARY_{name.upper()}": value for name, value in others.items()},
        }
    )


async def remember_for_long(redis_url: str) -> None:
    """Let Redis look an hour old: for a new one, assertions are refused in the first seconds."""
    redis, an_hour_ago = RedisClient.open(redis_url), int(time.time()) - 3600
    await redis.batch(*(("SET", epoch_key(number), an_hour_ago, "NX") for number in range(BUCKETS)))
    await redis.close()


@asynccontextmanager
async def open_world(settings: Settings) -> AsyncIterator[World]:
    """The stores of a deployment that has keys."""
    assert settings.database_url
    assert settings.redis_url
    await remember_for_long(settings.redis_url.get_secret_value())
    database = Database.open(settings.database_url.get_secret_value(), size=5)
    try:
        async with open_stores(settings) as stores:
            an_hour_ago = clock.now() - timedelta(hours=1)
            await ensure_keys(stores.keys, settings.signing_algorithms, SECRET_KEY, an_hour_ago)
            yield World(stores, database)
    finally:
        database.close()


def basic(client_id: str, secret: str = SECRET) -> dict[str, str]:
    """`client_secret_basic`: RFC 6749 §2.3.1."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def bearer(access_token: str) -> dict[str, str]:
    """RFC 6750 §2.1."""
    return {"Authorization": f"Bearer {access_token}"}


def unverified(token: str) -> Any:
    """The unverified claims of a JWT."""
    return json.loads(from_base64url(token.split(".")[1]))


@dataclass(frozen=True, slots=True)
class TokenService:
    """A token service over HTTP, and its stores."""

    http: TestClient[web.Request, web.Application]
    world: World

    async def post(self, path: str, form: Form, client: Client | None = None, **more: Any) -> ClientResponse:
        """Send a form as a client, with its registered authentication method."""
        if client and client.is_public:
            form = {"client_id": client.client_id, **form}
        elif client:
            more = {"headers": basic(client.client_id), **more}
        return await self.http.post(path, data=form, **more)

    async def token(self, client: Client | None, form: Form, **more: Any) -> ClientResponse:
        """The token endpoint's answer."""
        return await self.post(TOKEN.path, form, client, **more)

    async def redeem(self, client: Client, code: str, **form: str) -> ClientResponse:
        """The response to a code; an empty parameter is left out."""
        whole = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
            **form,
        }
        return await self.token(client, {name: value for name, value in whole.items() if value})

    async def refresh(self, client: Client, refresh_token: str, **form: str) -> ClientResponse:
        """The answer to a refresh token."""
        return await self.token(
            client, {"grant_type": "refresh_token", "refresh_token": refresh_token, **form}
        )

    async def tokens(self, client: Client, code: AuthorizationCode | None = None, **fields: Any) -> Any:
        """The tokens of a new sign-in, or of *code*."""
        if code is None:
            code = (await self.world.sign_in()).code(client.client_id, **fields)
        response = await self.redeem(client, await self.world.add_code(code))
        assert response.status == 200, await response.text()
        return await response.json()

    async def introspect(self, client: Client, token: str) -> Any:
        """The introspection response for a client."""
        response = await self.post(INTROSPECTION.path, {"token": token}, client)
        assert response.status == 200, await response.text()
        return await response.json()

    async def revoke(self, client: Client, token: str) -> ClientResponse:
        """The revocation endpoint's answer."""
        return await self.post(REVOCATION.path, {"token": token}, client)

    async def userinfo(self, access_token: str) -> ClientResponse:
        """The userinfo endpoint's answer."""
        return await self.http.get(USERINFO.path, headers=bearer(access_token))


@asynccontextmanager
async def serve_tokens(settings: Settings, world: World) -> AsyncIterator[TokenService]:
    """A token service of a world."""
    async with TestClient(Served(application(settings, mount))) as http:
        yield TokenService(http, world)


@pytest.fixture(scope="module")
def settings(module_database_url: str, module_redis_url: str) -> Settings:
    """The settings of a deployment that the tests of a module share."""
    return settings_for(module_database_url, module_redis_url)


@pytest_asyncio.fixture(scope="module")
async def _shared_world(settings: Settings) -> AsyncIterator[World]:
    async with open_world(settings) as world:
        yield world


@pytest_asyncio.fixture(scope="module")
async def _shared_tokens(settings: Settings, _shared_world: World) -> AsyncIterator[TokenService]:
    async with serve_tokens(settings, _shared_world) as service:
        yield service


@pytest.fixture
async def _own_world(settings: Settings) -> AsyncIterator[World]:
    async with open_world(settings) as world:
        yield world


@pytest.fixture
async def _own_tokens(settings: Settings, _own_world: World) -> AsyncIterator[TokenService]:
    async with serve_tokens(settings, _own_world) as service:
        yield service


def _is_alone(request: pytest.FixtureRequest) -> bool:
    """Whether the test has a database, or a planted defect, of its own."""
    return "database_url" in request.fixturenames or planted_defect(request.node) is not None


@pytest.fixture
def world(request: pytest.FixtureRequest, settings: Settings) -> World:
    """The stores of that deployment: the module's, unless a test is alone."""
    opened: World = request.getfixturevalue("_own_world" if _is_alone(request) else "_shared_world")
    return opened


@pytest.fixture
def tokens(request: pytest.FixtureRequest, settings: Settings) -> TokenService:
    """A token service of that deployment, in the same way."""
    service: TokenService = request.getfixturevalue("_own_tokens" if _is_alone(request) else "_shared_tokens")
    return service
