"""`ostiary issuer` and `ostiary restored`."""

from dataclasses import asdict
from datetime import UTC, datetime

import click

from services.cli.output import as_json, show
from services.cli.steps import run_step
from shared.config.kinds.origins import issuer as issuer_kind
from shared.config.settings import Settings
from shared.live import clock
from shared.operations.deployment import change_issuer, end_after_restore
from shared.store.open import Stores
from shared.store.ports.deployment import EndedCounts


@click.group()
def issuer() -> None:
    """Manage the issuer of the database."""


def _issuer(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        return issuer_kind(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@issuer.command(name="set")
@click.argument("url", callback=_issuer)
@click.option("--strand-passkeys", is_flag=True, help="Even if passkeys of users stop working.")
@as_json
def set_issuer(url: str, strand_passkeys: bool, is_json: bool) -> None:
    """Change the issuer of the database. Processes with the old one become not ready.

    Passkeys belong to the host of the issuer, or to OSTIARY_PASSKEY_RP_ID.
    """

    async def step(stores: Stores, settings: Settings) -> str | None:
        rp_id = settings.passkey_rp_id
        return await change_issuer(
            stores.deployment, stores.passkeys, url, rp_id, strands_passkeys=strand_passkeys
        )

    show({"from": run_step(step), "to": url}, is_json)


def _moment(_: click.Context, __: click.Parameter, value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("must look like 2026-05-01T03:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command()
@click.option("--at", required=True, callback=_moment, metavar="TIME", help="Time of the backup (UTC).")
@as_json
def restored(at: datetime, is_json: bool) -> None:
    """After restoring a backup, end all sessions, grants and personal access tokens older than TIME.

    Some of them may have ended since the backup, and nobody knows which.
    """

    async def step(stores: Stores, _: Settings) -> EndedCounts:
        return await end_after_restore(stores.deployment, at, clock.now())

    show(asdict(run_step(step)), is_json)
