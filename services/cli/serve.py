"""`ostiary serve`."""

import asyncio
import gc
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import click

from services.cli.faults import faults_in_sentences
from shared.config.environment import read_settings
from shared.config.kinds.addresses import address
from shared.config.settings import Settings
from shared.operations.deployment import check_issuer, warn_of_stranded_passkeys
from shared.paths import Service
from shared.process.imports import uncollected_imports
from shared.server.app import Mount, application
from shared.server.health import health
from shared.server.log.configuration import configure_log
from shared.server.serve import Listen
from shared.server.serve import serve as serve_application
from shared.server.workers import MAX_WORKERS, Workers
from shared.store import Unavailable
from shared.store.open import open_stores

ALL = "all"
WORKER = "worker"
PATIENCE = 30.0  # seconds in which workers must exit after the drain delay


def _address(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        return address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("name", type=click.Choice([*(service.value for service in Service), WORKER, ALL]))
@click.option(
    "--listen", required=True, callback=_address, metavar="HOST:PORT|unix:PATH", help="Address to listen on."
)
@click.option("--workers", type=click.IntRange(1, MAX_WORKERS), default=1, show_default=True)
def serve(name: str, listen: str, workers: int) -> None:
    """Serve one service, or all of them in one process.

    With --workers, that many processes share one socket.
    """
    with faults_in_sentences():
        settings = read_settings()
        request_log = configure_log(settings.log_level, name)
        names = services_of(name, settings)
        asyncio.run(check_database(settings, names))
        with uncollected_imports():
            mounts = [_mount(each) for each in names]
        gc.freeze()  # no collection visits what is imported, and workers share its memory
        listening = Listen(listen).bind()

        def work(index: int) -> None:
            operators = health(needs_postgresql=names != [Service.DISCOVERY], index=index)
            serve_application(
                lambda: application(settings, operators, *mounts, request_log=request_log, name=name),
                listening,
                settings.drain_delay,
            )

        if workers == 1:
            work(0)
        else:
            # Only workers accept connections. If the parent kept the socket open, new connections would hang.
            patience = settings.drain_delay.total_seconds() + PATIENCE
            Workers(work, on_stop=listening.close, patience=patience).keep(workers)


async def check_database(settings: Settings, names: Sequence[str]) -> None:
    """Compare the settings with what is recorded, before these services start. Raises WrongIssuer.

    The service that users sign in with warns of passkeys that browsers do not offer. If PostgreSQL is down,
    the process starts, and checks the issuer as soon as it is up.
    """
    with suppress(Unavailable):
        async with open_stores(settings) as stores:
            await check_issuer(stores.deployment, settings.issuer)
            if Service.AUTHORIZATION in names:
                await warn_of_stranded_passkeys(stores.passkeys, settings.rp_id)


def services_of(name: str, settings: Settings) -> list[str]:
    """The services that this process runs: `token` includes the worker, unless that runs alone."""
    names: list[str] = [*Service] if name == ALL else [name]
    if Service.TOKEN in names and settings.worker == "token":
        names.append(WORKER)
    return names


def _mount(name: str) -> Mount:
    # Imported by name: a process loads only the services that it runs.
    mount: Mount = import_module(f"services.{name.replace('-', '_')}.app").mount
    return mount
