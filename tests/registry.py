"""The client-registry service for tests (open, by token, closed), and its stores."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from services.client_registry.app import mount
from shared.live import clock
from shared.operations.invitations import invite
from shared.paths import CLIENT_CONFIGURATION, REGISTRATION
from shared.server.app import application
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.served import Served

URI = {"redirect_uris": ["https://rp.test/cb"]}


@dataclass(frozen=True, slots=True)
class Registry:
    """The service and its stores."""

    http: TestClient[web.Request, web.Application]
    world: World

    async def token(self, uses: int = 1) -> str:
        """An initial access token."""
        later = clock.now() + timedelta(hours=1)
        return (await invite(self.world.stores.initial_access_tokens, uses, later)).token

    async def post(self, members: Any, token: str | None = None, **headers: str) -> ClientResponse:
        """A registration request."""
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        data = members if isinstance(members, bytes) else json.dumps(members).encode()
        sent = {"Content-Type": "application/json", **bearer, **headers}
        return await self.http.post(REGISTRATION.path, data=data, headers=sent)

    async def register(self, members: dict[str, Any] | None = None) -> dict[str, Any]:
        """A client that has just registered."""
        response = await self.post(members or URI, await self.token())
        assert response.status == 201
        information: dict[str, Any] = await response.json()
        return information

    async def ask(
        self, method: str, client_id: str, token: str | None, members: Any = None
    ) -> ClientResponse:
        """A request to the client configuration endpoint."""
        path = CLIENT_CONFIGURATION.path.replace("{client_id}", client_id)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.http.request(method, path, json=members, headers=headers)


async def serve_registry(
    database_url: str, redis_url: str, registration: str, **others: str
) -> AsyncIterator[Registry]:
    """The service with a registration policy, and other settings by their names."""
    settings = settings_for(database_url, redis_url, registration=registration, **others)
    async with (
        open_world(settings) as world,
        TestClient(Served(application(settings, mount))) as http,
    ):
        yield Registry(http, world)


@pytest.fixture
async def registry(database_url: str, redis_url: str) -> AsyncIterator[Registry]:
    """Registration by initial access token."""
    async for opened in serve_registry(database_url, redis_url, "token"):
        yield opened


@pytest.fixture
async def open_registry(database_url: str, redis_url: str) -> AsyncIterator[Registry]:
    """Open registration."""
    async for opened in serve_registry(database_url, redis_url, "open"):
        yield opened


@pytest.fixture
async def small_registry(database_url: str, redis_url: str) -> AsyncIterator[Registry]:
    """Open registration with a small quota."""
    async for opened in serve_registry(database_url, redis_url, "open", client_quota="3"):
        yield opened


@pytest.fixture
async def closed_registry(database_url: str, redis_url: str) -> AsyncIterator[Registry]:
    """Closed registration."""
    async for opened in serve_registry(database_url, redis_url, "closed"):
        yield opened
