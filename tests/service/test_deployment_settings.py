"""Operators' commands use the settings of the running deployment, not of their shell."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from click.testing import CliRunner, Result

from services.cli import main
from services.client_registry.app import mount
from shared.config.deployment import DEPLOYMENT_SETTINGS, deployment_settings, with_deployment
from shared.config.settings import Settings, SettingsError
from shared.operations.deployment import settings_of_deployment
from shared.server.app import application
from tests.builders import World
from tests.deployment import ISSUER, SECRET_KEY, settings_for
from tests.planted import planted
from tests.planted.deployment import asks_its_own_environment
from tests.served import Served

CELLS = str(Path(__file__).parents[2] / "deploy" / "cells-clients.json")
OF_DEPLOYMENT = {
    "response_types": "all",
    "signing_algorithms": "RS256",
    "external_urls": "https://cells.example.org",
    "fetch_allow": "keys.intranet:8443",
    "unsigned_request_objects": "on",
    "registration": "closed",
    "sign_up": "open",
    "require_pushed_authorization_requests": "on",
}

Ostiary = Callable[..., Coroutine[Any, Any, Result]]


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """The settings of the running deployment."""
    return settings_for(database_url, redis_url, **OF_DEPLOYMENT)


@pytest.fixture
async def running(settings: Settings, world: World) -> AsyncIterator[World]:
    """The deployment has started, and may be stopped again."""
    async with TestClient(Served(application(settings, mount))):
        yield world


@pytest.fixture
def ostiary(database_url: str, redis_url: str) -> Ostiary:
    """The command in a shell that has only the stores and the secret key."""
    environment = {
        "OSTIARY_DATABASE_URL": database_url,
        "OSTIARY_REDIS_URL": redis_url,
        "OSTIARY_SECRET_KEY": SECRET_KEY,
    }

    async def invoke(*arguments: str, given: str | None = None) -> Result:
        runner = CliRunner()
        return await asyncio.to_thread(runner.invoke, main, arguments, input=given, env=environment)

    return invoke


@planted(asks_its_own_environment)
async def test_a_client_may_have_what_the_deployment_offers(running: World, ostiary: Ostiary) -> None:
    """Response types, unsigned request objects and private hosts that only its settings allow."""
    metadata = {
        "redirect_uris": ["https://rp.test/cb"],
        "response_types": ["code", "code id_token"],
        "grant_types": ["authorization_code", "implicit"],
        "request_object_signing_alg": "none",
        "jwks_uri": "https://keys.intranet:8443/jwks.json",
        "client_id": "files",
    }
    added = await ostiary("client", "add", "-", "--json", given=json.dumps(metadata))
    assert added.exit_code == 0, added.stderr
    changed = await ostiary("client", "update", "files", "-", given='{"client_name": "Files"}')
    assert changed.exit_code == 0, changed.stderr


@planted(asks_its_own_environment)
async def test_a_client_may_not_have_what_the_deployment_lacks(running: World, ostiary: Ostiary) -> None:
    """An algorithm without keys is refused, even if it is the default."""
    metadata = {"redirect_uris": ["https://rp.test/cb"], "id_token_signed_response_alg": "ES256"}
    added = await ostiary("client", "add", "-", given=json.dumps(metadata))
    assert added.exit_code == 1
    assert "id_token_signed_response_alg" in added.stderr


@planted(asks_its_own_environment)
async def test_an_import_uses_the_external_urls_of_the_deployment(running: World, ostiary: Ostiary) -> None:
    """For the binds of Cells."""
    imported = await ostiary("client", "import", CELLS)
    assert imported.exit_code == 0, imported.stderr
    client = await running.stores.clients.find("cells-frontend")
    assert client is not None
    assert client.redirect_uris[0].startswith("https://cells.example.org/")


async def test_a_deployment_that_never_started_leaves_the_settings_alone(
    settings: Settings, world: World
) -> None:
    """Before a first start, the shell's settings apply."""
    assert await settings_of_deployment(world.stores.deployment, settings) == settings


async def test_the_recorded_settings_are_the_processes(settings: Settings, running: World) -> None:
    """With the issuer; a process of another issuer records nothing, and the last to start counts."""
    record = running.stores.deployment
    shell = Settings(database_url=settings.database_url, redis_url=settings.redis_url)
    await record.issuer(ISSUER)
    asked = await settings_of_deployment(record, shell)
    names = ("issuer", *DEPLOYMENT_SETTINGS)
    assert {name: getattr(asked, name) for name in names} == {name: getattr(settings, name) for name in names}
    await record.note_settings("https://other.example.org/oidc", {"registration": "open"})
    assert (await settings_of_deployment(record, shell)).registration == "closed"
    await record.note_settings(ISSUER, deployment_settings(shell))
    assert (await settings_of_deployment(record, shell)).registration == "token"


async def test_settings_of_another_version_are_refused(running: World, ostiary: Ostiary) -> None:
    """With a sentence; what this version does not know is ignored."""
    with pytest.raises(SettingsError, match="OSTIARY_REGISTRATION"):
        with_deployment(Settings(), {"registration": "by_post"})
    assert with_deployment(Settings(), {"setting_of_a_later_release": 1}) == Settings()
    await running.stores.deployment.note_settings(ISSUER, {"registration": "by_post"})
    listed = await ostiary("client", "list")
    assert listed.exit_code == 1
    assert "this version of `ostiary` cannot read" in listed.stderr
