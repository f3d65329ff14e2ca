"""Permanent faults of the database: loops survive them, and the process is not ready."""

import json
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient
from pydantic import SecretStr

from services.discovery.app import mount
from shared.config.settings import Settings
from shared.live import clock
from shared.operations.keys import rewrap_keys, rotate_keys
from shared.paths import JWKS
from shared.server.app import application
from shared.server.health import health
from tests.builders import World
from tests.deployment import SECRET_KEY, settings_for
from tests.manual_time import ManualTime
from tests.planted import planted
from tests.planted.background import ends_with_the_first_defect
from tests.served import Served

_TERMINATE = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1"

Act = Callable[[World, Settings, str], Awaitable[object]]


def _as(role: str, settings: Settings) -> Settings:
    """The same deployment, whose processes connect as *role*."""
    assert settings.database_url
    url = urlsplit(settings.database_url.get_secret_value())
    host = url.netloc.rpartition("@")[2]
    return settings.model_copy(
        update={"database_url": SecretStr(url._replace(netloc=f"{role}@{host}").geturl())}
    )


def _under(settings: Settings, *secret_keys: str) -> Settings:
    return settings.model_copy(update={"secret_key": tuple(map(SecretStr, secret_keys))})


async def _lock_out(world: World, _: Settings, role: str) -> None:
    await world.database.row(f"ALTER ROLE {role} NOLOGIN")
    await world.database.row(_TERMINATE, role)


async def _let_in(world: World, settings: Settings, role: str) -> None:
    await world.database.row(f"ALTER ROLE {role} LOGIN")
    await rotate_keys(world.stores.keys, settings, clock.now())


async def _take_privilege(world: World, _: Settings, role: str) -> None:
    await world.database.row(f"REVOKE SELECT ON change_counter FROM {role}")


async def _give_privilege(world: World, settings: Settings, role: str) -> None:
    await world.database.row(f"GRANT SELECT ON change_counter TO {role}")
    await rotate_keys(world.stores.keys, settings, clock.now())


async def _add_keys_of_another_secret(world: World, settings: Settings, _: str) -> None:
    await rotate_keys(world.stores.keys, _under(settings, "t" * 32, SECRET_KEY), clock.now())


async def _rewrap(world: World, settings: Settings, _: str) -> None:
    await rewrap_keys(world.stores.keys, _under(settings, SECRET_KEY, "t" * 32))


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """A deployment that the test may damage."""
    return settings_for(database_url, redis_url)


@planted(ends_with_the_first_defect)
@pytest.mark.parametrize(
    ("damage", "repair"),
    [
        pytest.param(_lock_out, _let_in, id="28000"),
        pytest.param(_take_privilege, _give_privilege, id="42501"),
        pytest.param(_add_keys_of_another_secret, _rewrap, id="a key of another secret"),
    ],
)
async def test_discovery_does_not_serve_frozen_keys_and_claim_to_be_ready(
    settings: Settings, world: World, manual_time: ManualTime, damage: Act, repair: Act
) -> None:
    """It serves its keys while it is not ready, and the new keys after the repair."""
    role = f"role_{uuid4().hex}"
    await world.stores.deployment.issuer(settings.issuer)  # so that the role need not record it
    await world.database.row(f"CREATE ROLE {role} LOGIN")
    await world.database.row(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    app = application(_as(role, settings), health(needs_postgresql=False), mount)
    async with TestClient(Served(app)) as client:

        async def get(path: str) -> tuple[int, str]:
            response = await client.get(path)
            return response.status, await response.text()

        async def ready() -> tuple[int, str]:
            return await get("/readyz")

        async def kids() -> set[str]:
            status, text = await get(JWKS.path)
            assert status == 200
            return {key["kid"] for key in json.loads(text)["keys"]}

        await manual_time.settle()  # the keys have been read, and no connection is being opened
        before = await kids()
        assert await ready() == (200, "ready\n")
        await damage(world, settings, role)
        for _ in range(15):
            await manual_time.advance(1)
        assert await ready() == (503, "not ready: background\n")
        assert await kids() == before
        await repair(world, settings, role)
        await manual_time.advance(5)
        assert await ready() == (200, "ready\n")
        assert await kids() > before
    await world.database.row(f"DROP OWNED BY {role}")
    await world.database.row(f"DROP ROLE {role}")
