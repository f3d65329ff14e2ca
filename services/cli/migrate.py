"""`ostiary migrate`."""

import asyncio

import click

from services.cli.faults import faults_in_sentences
from services.cli.output import as_json, echo_json
from services.cli.steps import settings_here
from shared.config.settings import Settings, SettingsError
from shared.store.migrate import migrate as migrate_database
from shared.store.migrate import pending
from shared.store.schema import schema_faults


def direct_url(settings: Settings) -> str:
    """The URL for migrations, which bypasses a pooler. Raises SettingsError."""
    url = settings.database_direct_url or settings.database_url
    if url is None:
        raise SettingsError(("OSTIARY_DATABASE_URL: is required here",))
    return url.get_secret_value()


@click.group(invoke_without_command=True)
@click.option(
    "--check", is_flag=True, help="List missing migrations without applying them; exit 1 if there are any."
)
@click.pass_context
def migrate(context: click.Context, check: bool) -> None:
    """Apply the migrations of this version to the database (the same as `migrate apply`)."""
    if context.invoked_subcommand is not None:
        if check:
            raise click.UsageError("--check stands alone.")
        return
    if not check:
        context.invoke(apply)
        return
    with faults_in_sentences():
        names = asyncio.run(pending(direct_url(settings_here())))
    for name in names:
        click.echo(f"missing {name}")
    if names:
        raise SystemExit(1)


@migrate.command()
def apply() -> None:
    """Apply the missing migrations, in order. Services may run meanwhile."""
    with faults_in_sentences():
        names = asyncio.run(migrate_database(direct_url(settings_here())))
    for name in names:
        click.echo(f"applied {name}")


@migrate.command()
@as_json
def plan(is_json: bool) -> None:
    """List the migrations that `migrate apply` would apply. Changes nothing."""
    with faults_in_sentences():
        names = asyncio.run(pending(direct_url(settings_here())))
    if is_json:
        echo_json(names)
        return
    for name in names:
        click.echo(f"missing {name}")
    if not names:
        click.echo("Nothing is missing.")


@migrate.command()
@as_json
def verify(is_json: bool) -> None:
    """Compare the schema with what the migrations make: tables, columns, constraints, indexes, triggers."""
    url = direct_url(settings_here())
    with faults_in_sentences():
        faults = [f"migration {name} is missing: run `ostiary migrate`" for name in asyncio.run(pending(url))]
        faults = faults or asyncio.run(schema_faults(url))
    if is_json:
        echo_json(faults)
    for fault in () if is_json else faults or ("The schema is as this version makes it.",):
        click.echo(fault)
    if faults:
        raise SystemExit(1)
