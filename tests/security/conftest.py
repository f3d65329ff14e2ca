"""Open registration without rate limits."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient

from services.client_registry.app import mount
from shared.paths import REGISTRATION
from shared.server.app import application
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.served import Served


@dataclass(frozen=True, slots=True)
class Registration:
    """The registration endpoint over HTTP, and the stores behind it."""

    http: TestClient[web.Request, web.Application]
    world: World

    async def post(self, members: Any) -> tuple[int, dict[str, Any]]:
        """The status and the members of the answer."""
        body = members if isinstance(members, bytes) else json.dumps(members).encode()
        response = await self.http.post(
            REGISTRATION.path, data=body, headers={"Content-Type": "application/json"}
        )
        return response.status, await response.json()


@pytest_asyncio.fixture(scope="module")
async def registration(module_database_url: str, module_redis_url: str) -> AsyncIterator[Registration]:
    """Such an endpoint, on the loop of a module's tests."""
    settings = settings_for(module_database_url, module_redis_url, registration="open", rate_limits="off")
    async with (
        open_world(settings) as world,
        TestClient(Served(application(settings, mount))) as http,
    ):
        yield Registration(http, world)
