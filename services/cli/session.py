"""`ostiary session`."""

from collections.abc import Sequence
from uuid import UUID

import click

from services.cli.output import as_json, show_all
from services.cli.steps import run_step
from shared.config.settings import Settings
from shared.operations import sessions, users
from shared.store import SessionRow
from shared.store.open import Stores


@click.group()
def session() -> None:
    """Manage the browser sessions of users."""


@session.command(name="list")
@click.argument("name")
@as_json
def list_sessions(name: str, is_json: bool) -> None:
    """List the live sessions of a user, oldest first."""

    async def step(stores: Stores, _: Settings) -> Sequence[SessionRow]:
        return await stores.sessions.of_user((await users.get(stores.users, name)).user_id)

    shown = [sessions.shown(row) for row in run_step(step)]
    show_all(shown, ("sid", "created_at", "last_used_at", "address"), is_json)


@session.command()
@click.argument("name")
@click.argument("sid", type=click.UUID, required=False)
@click.option("--all", "is_all", is_flag=True, help="End every session of the user.")
def end(name: str, sid: UUID | None, is_all: bool) -> None:
    """End one session of a user, or all. Clients with offline access keep it: see `user logout`."""
    if (sid is None) is not is_all:
        raise click.UsageError("name one session, or use --all")

    async def step(stores: Stores, _: Settings) -> None:
        user = await users.get(stores.users, name)
        if sid is None:
            await sessions.end_other_sessions(stores.users, user.user_id)
        else:
            await sessions.end_session(stores.sessions, user.user_id, sid, sessions.ENDED_BY_OPERATOR)

    run_step(step)
