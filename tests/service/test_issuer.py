"""A database belongs to the issuer of the first process that starts on it."""

import asyncio
import os
import subprocess
import sys

import pytest
import structlog
from aiohttp.test_utils import TestClient
from click.testing import CliRunner

from deploy.local.child import RunError
from services.cli import main
from services.cli.run import check_issuer_of_data
from services.cli.serve import check_database
from services.discovery.app import mount
from shared.config.settings import Settings
from shared.operations.deployment import PasskeysUnusable, WrongIssuer, change_issuer, check_issuer
from shared.paths import Service
from shared.server.app import application
from shared.server.health import health
from tests.authenticator import Authenticator
from tests.builders import World
from tests.deployment import ISSUER, SECRET_KEY, open_world, settings_for
from tests.manual_time import ManualTime
from tests.passkeys import add_passkey
from tests.planted import planted
from tests.planted.deployment import takes_any_issuer
from tests.served import Served

OTHER = "https://other.example.org/oidc"


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """A deployment of the test's own."""
    return settings_for(database_url, redis_url)


async def test_of_many_first_starts_one_decides(world: World) -> None:
    """Of concurrent first starts, one decides the issuer for all."""
    issuers = [f"https://{index}.example.org/oidc" for index in range(20)]
    recorded = await asyncio.gather(*(world.stores.deployment.issuer(issuer) for issuer in issuers))
    assert len(set(recorded)) == 1
    assert await world.stores.deployment.issuer(OTHER) == recorded[0]


@planted(takes_any_issuer)
async def test_another_issuer_is_refused_and_the_same_is_not(world: World) -> None:
    """Another issuer is refused with a sentence that names both and the remedy."""
    await check_issuer(world.stores.deployment, ISSUER)
    await check_issuer(world.stores.deployment, ISSUER)
    with pytest.raises(WrongIssuer, match=f"{ISSUER}.*{OTHER}.*ostiary issuer set {OTHER}"):
        await check_issuer(world.stores.deployment, OTHER)


@planted(takes_any_issuer)
async def test_a_running_process_notices(settings: Settings, world: World, manual_time: ManualTime) -> None:
    """It is not ready while the database belongs to another issuer, such as after `issuer set`."""
    app = application(settings, health(needs_postgresql=False), mount)
    async with TestClient(Served(app)) as client:
        assert (await client.get("/readyz")).status == 200
        assert await world.stores.deployment.set_issuer(OTHER) == ISSUER
        await manual_time.advance(60)
        response = await client.get("/readyz")
        assert (response.status, await response.text()) == (503, "not ready: issuer\n")
        await world.stores.deployment.set_issuer(ISSUER)
        await manual_time.advance(60)
        assert (await client.get("/readyz")).status == 200
    assert await world.audited("issuer_changed") == 2


async def test_the_data_of_a_run_name_both_issuers(settings: Settings, world: World) -> None:
    """`ostiary run` on a folder of another issuer, whose database runs only while it does."""
    await check_issuer_of_data(world.stores, settings)
    with pytest.raises(RunError, match=f"{ISSUER}.*{OTHER}.*OSTIARY_ISSUER={ISSUER}"):
        await check_issuer_of_data(world.stores, settings.model_copy(update={"issuer": OTHER}))


async def test_passkeys_are_not_left_behind_by_accident(world: World) -> None:
    """R6: another host is refused with the number of passkeys; another port of the same host is not."""
    record, passkeys = world.stores.deployment, world.stores.passkeys
    await check_issuer(record, ISSUER)
    assert await change_issuer(record, passkeys, OTHER) == ISSUER
    assert await change_issuer(record, passkeys, ISSUER) == OTHER
    authenticator = Authenticator("https://id.example.org", "id.example.org")
    await add_passkey(world, await world.user(), authenticator, "https://id.example.org")
    assert await change_issuer(record, passkeys, "https://id.example.org:8443/oidc") == ISSUER
    with pytest.raises(PasskeysUnusable, match=r"1 at id\.example\.org.*--strand-passkeys"):
        await change_issuer(record, passkeys, OTHER)
    assert await record.issuer(OTHER) == "https://id.example.org:8443/oidc"
    assert await change_issuer(record, passkeys, OTHER, "id.example.org")
    assert await change_issuer(record, passkeys, ISSUER, strands_passkeys=True) == OTHER
    assert await change_issuer(record, passkeys, OTHER, strands_passkeys=True)
    assert await record.issuer(ISSUER) == OTHER


@pytest.mark.parametrize(
    ("name", "rp_id", "is_told"),
    [
        (Service.AUTHORIZATION, "new.example.org", True),
        (Service.AUTHORIZATION, "old.example.org", False),
        (Service.TOKEN, "new.example.org", False),
    ],
)
async def test_a_start_warns_of_passkeys_for_another_domain(
    settings: Settings, world: World, name: Service, rp_id: str, *, is_told: bool
) -> None:
    """R6: once, with their number and what to do, where users sign in; the process starts nonetheless."""
    origin = "https://old.example.org"
    await add_passkey(world, await world.user(), Authenticator(origin, "old.example.org"), origin)
    with structlog.testing.capture_logs() as logs:
        await check_database(settings.model_copy(update={"passkey_rp_id": rp_id}), [name])
    warnings = [each["detail"] for each in logs if each["event"] == "passkeys_stranded"]
    assert len(warnings) == is_told
    assert all("1 for old.example.org: set OSTIARY_PASSKEY_RP_ID" in each for each in warnings)


def test_a_service_does_not_start_on_the_database_of_another(database_url: str, redis_url: str) -> None:
    """Exit status 1 with one sentence, before it listens; `issuer set` changes it on purpose."""

    async def first_start() -> None:
        async with open_world(settings_for(database_url, redis_url)) as world:
            await check_issuer(world.stores.deployment, ISSUER)

    asyncio.run(first_start())
    environment = {
        "OSTIARY_ISSUER": OTHER,
        "OSTIARY_DATABASE_URL": database_url,
        "OSTIARY_REDIS_URL": redis_url,
        "OSTIARY_SECRET_KEY": SECRET_KEY,
    }
    serving = subprocess.run(
        [sys.executable, "-m", "services.cli", "serve", "token", "--listen", "127.0.0.1:0"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert serving.returncode == 1
    assert ISSUER in serving.stderr
    assert OTHER in serving.stderr
    assert len(serving.stderr.strip().splitlines()) == 1
    run = CliRunner()
    changed = run.invoke(main, ["issuer", "set", OTHER, "--json"], env=environment)
    assert (changed.exit_code, changed.output.count(ISSUER)) == (0, 1)
    asyncio.run(_starts(settings_for(database_url, redis_url, issuer=OTHER)))
    assert (
        run.invoke(main, ["issuer", "set", "http://nowhere.example.org/oidc"], env=environment).exit_code == 2
    )


async def _starts(settings: Settings) -> None:
    async with open_world(settings) as world:
        await check_issuer(world.stores.deployment, settings.issuer)
