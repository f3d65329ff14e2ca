"""`ostiary run`."""

import asyncio
from contextlib import suppress
from dataclasses import asdict

import asyncpg
import click

from deploy.local.child import RunError
from deploy.local.demo import Demo
from deploy.local.run import run as run_everything
from services.cli.faults import faults_in_sentences
from services.cli.migrate import direct_url
from shared.config.environment import read_settings
from shared.config.settings import Settings
from shared.operations.first_start import DemoCredentials, prepare
from shared.store import Unavailable
from shared.store.migrate import MigrationError
from shared.store.migrate import migrate as migrate_database
from shared.store.open import Stores, open_stores


@click.command()
def run() -> None:
    """Run everything embedded, in the foreground, until Ctrl-C."""
    with faults_in_sentences():
        asyncio.run(run_everything(read_settings(), _prepare, _say))


def _say(text: str) -> None:
    with suppress(OSError):  # the run continues without its terminal
        click.echo(text)


async def check_issuer_of_data(stores: Stores, settings: Settings) -> None:
    """Raises RunError if the database has another issuer.

    `ostiary issuer set` needs a running database, which may be the embedded one.
    """
    recorded = await stores.deployment.issuer(settings.issuer)
    if recorded != settings.issuer:
        raise RunError(
            f"The data in {settings.data_dir} belong to the issuer {recorded}, but OSTIARY_ISSUER is"
            f" {settings.issuer}. Start with OSTIARY_ISSUER={recorded}; to change the issuer, run"
            f" `ostiary issuer set {settings.issuer}` while it runs, and start again with the new one"
        )


async def _prepare(settings: Settings, demo: Demo | None) -> None:
    credentials = None if demo is None else DemoCredentials(**asdict(demo))
    try:
        await migrate_database(direct_url(settings))
        async with open_stores(settings) as stores:
            await check_issuer_of_data(stores, settings)
            await prepare(stores, settings, credentials)
    except (MigrationError, OSError, asyncpg.PostgresError, Unavailable) as error:
        raise RunError(f"The database of OSTIARY_DATABASE_URL cannot be used: {error}") from None
