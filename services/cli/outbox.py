"""`ostiary outbox`."""

from collections.abc import Sequence

import click

from services.cli.output import as_json, show, show_all
from services.cli.steps import run_step
from shared.config.settings import Settings
from shared.operations import outbox as admin
from shared.store import LogoutNotice
from shared.store.open import Stores

_COLUMNS = ("client_id", "sid", "state", "tries", "created_at", "due_at")


@click.group()
def outbox() -> None:
    """Manage logout notices that clients have not accepted yet."""


@outbox.command(name="list")
@as_json
def list_notices(is_json: bool) -> None:
    """List pending and failed notices, oldest first."""

    async def step(stores: Stores, _: Settings) -> Sequence[LogoutNotice]:
        return await stores.outbox.list(admin.MOST_SHOWN)

    show_all([admin.shown(notice) for notice in run_step(step)], _COLUMNS, is_json)


@outbox.command()
@as_json
def retry(is_json: bool) -> None:
    """Retry the notices that were given up."""

    async def step(stores: Stores, _: Settings) -> int:
        return await stores.outbox.retry()

    show({"retried": run_step(step)}, is_json)
