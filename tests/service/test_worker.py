"""The worker: what runs by itself, in the token service's processes or alone."""

import asyncio

import pytest
from aiohttp.test_utils import TestClient

from services.cli.serve import services_of
from services.worker.app import mount
from shared.config.settings import Settings
from shared.paths import PATHS
from shared.server.app import application
from shared.server.health import health
from tests.builders import World
from tests.deployment import settings_for
from tests.served import Served

HANG_GUARD = 30  # seconds


@pytest.mark.parametrize(
    ("name", "worker", "services"),
    [
        ("token", "token", ["token", "worker"]),
        ("token", "alone", ["token"]),
        ("worker", "alone", ["worker"]),
        ("discovery", "token", ["discovery"]),
        ("all", "token", ["discovery", "authorization", "token", "client-registry", "accounts", "worker"]),
        ("all", "alone", ["discovery", "authorization", "token", "client-registry", "accounts"]),
    ],
)
def test_the_worker_runs_beside_token_unless_it_runs_alone(
    name: str, worker: str, services: list[str]
) -> None:
    """By the setting OSTIARY_WORKER."""
    assert services_of(name, settings_for("postgresql://x", "redis://x", worker=worker)) == services


async def test_the_worker_alone_answers_no_public_path(settings: Settings, world: World) -> None:
    """Only its health, which becomes good by itself."""
    app = application(settings, health(needs_postgresql=True), mount)
    async with TestClient(Served(app)) as client:
        assert (await client.get("/readyz")).status == 200
        for path in PATHS:
            assert (await client.get(path.path)).status == 404, path


async def test_the_worker_removes_deleted_clients(settings: Settings, world: World) -> None:
    """With what they were given, soon after it starts."""
    client, user = await world.client(), await world.user()
    await world.stores.consents.add(user.user_id, client.client_id, ("openid",), is_remembered=True)
    await world.stores.clients.delete(client.client_id)
    async with TestClient(Served(application(settings, mount))):
        async with asyncio.timeout(HANG_GUARD):
            while await world.database.row("SELECT FROM clients WHERE client_id = $1", client.client_id):
                await asyncio.sleep(0.01)
    assert not await world.database.row("SELECT FROM consents WHERE client_id = $1", client.client_id)
