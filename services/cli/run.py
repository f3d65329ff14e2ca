"""The `ostiary` command: each verb calls one function elsewhere.

Exit status 0 done, 1 failed (one plain sentence on stderr), 2 wrong usage.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import asyncpg
import click

from deploy.local.child import RunError
from deploy.local.demo import Demo
from deploy.local.run import Rest
from deploy.local.run import run as run_everything
from shared import clock
from shared.admin.keys import ensure_keys
from shared.paths import Service
from shared.settings import Settings, SettingsError, read_settings
from shared.store.migrate import MigrationError
from shared.store.migrate import migrate as migrate_database
from shared.store.open import MissingStore, open_stores
from shared.web.app import Mount, application
from shared.web.log import configure_log
from shared.web.serve import Listen, ListenError
from shared.web.serve import serve as serve_application

ALL = "all"


@contextmanager
def _faults_in_sentences() -> Iterator[None]:
    """Turns the faults that an operator can mend into sentences and exit status 1."""
    try:
        yield
    except SettingsError as error:
        raise click.ClickException("\n".join(("The settings do not hold:", *error.faults))) from None
    except (RunError, ListenError, MigrationError, MissingStore) as error:
        raise click.ClickException(str(error)) from None
    except (OSError, asyncpg.PostgresError) as error:
        raise click.ClickException(f"PostgreSQL cannot be reached: {error}") from None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Ostiary: an OpenID Connect provider for people who host their own identity."""


@main.command()
def run() -> None:
    """Run everything embedded, in the foreground, until Ctrl-C."""
    with _faults_in_sentences():
        settings = read_settings()
        rest = Rest(migrate=lambda complete: migrate_database(_direct_url(complete)), prepare=_prepare)
        asyncio.run(run_everything(settings, rest, click.echo))


@main.command()
@click.argument("name", type=click.Choice([*(service.value for service in Service), ALL]))
@click.option("--listen", required=True, metavar="HOST:PORT|unix:PATH", help="Where to listen.")
def serve(name: str, listen: str) -> None:
    """Serve one service, or all of them in one process."""
    with _faults_in_sentences():
        settings = read_settings()
        configure_log(settings.log_level, name)
        mounts = [_mount(service) for service in Service if name in (service, ALL)]
        serve_application(lambda: application(settings, *mounts), Listen(listen).bind())


@main.command()
@click.option("--check", is_flag=True, help="Say what is missing and change nothing; exit 1 if anything is.")
def migrate(check: bool) -> None:
    """Bring the database to this version."""
    with _faults_in_sentences():
        applied = asyncio.run(migrate_database(_direct_url(read_settings()), is_dry=check))
    for name in applied:
        click.echo(f"{'missing' if check else 'applied'} {name}")
    if check and applied:
        raise SystemExit(1)


def _direct_url(settings: Settings) -> str:
    url = settings.database_direct_url or settings.database_url
    if url is None:
        raise SettingsError(("OSTIARY_DATABASE_URL: is required here",))
    return url.get_secret_value()


def _mount(service: Service) -> Mount:
    # Imported by name: a process loads the service that it is.
    mount: Mount = import_module(f"services.{service.replace('-', '_')}.app").mount
    return mount


async def _prepare(settings: Settings, demo: Demo | None) -> None:
    async with open_stores(settings) as stores:
        secret = settings.secret_key[0].get_secret_value()
        await ensure_keys(stores.keys, settings.signing_algorithms, secret, clock.now())


if __name__ == "__main__":
    main()
