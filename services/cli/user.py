"""`ostiary user`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from services.authorization.authentication.throttling import SECOND_FACTOR, USER
from services.cli.output import as_json, show, show_all, show_each
from services.cli.steps import run_step
from services.cli.user_record import add, import_users, password, update
from services.cli.user_token import token
from shared.browser.notices import Notices
from shared.config.settings import Settings
from shared.operations import clients, recovery, users
from shared.store import ClientAccess
from shared.store.open import Stores


@click.group()
def user() -> None:
    """Manage users."""


for command in (add, import_users, update, password, token):
    user.add_command(command)


@user.command(name="list")
@as_json
def list_users(is_json: bool) -> None:
    """List all users by name."""

    async def step(stores: Stores, _: Settings) -> None:
        shown = (users.shown(each) async for each in users.every_user(stores.users))
        await show_each(shown, ("username", "sub", "is_disabled"), is_json)

    run_step(step)


@user.command(name="show")
@click.argument("name")
@as_json
def show_user(name: str, is_json: bool) -> None:
    """Show one user, by user name or e-mail address."""

    async def step(stores: Stores, _: Settings) -> dict[str, Any]:
        user = await users.get(stores.users, name)
        state = await recovery.recovery_state(stores.recovery_links, stores.credentials, user.user_id)
        return users.shown(user) | state

    show(run_step(step), is_json)


@user.command()
@click.argument("name")
def enable(name: str) -> None:
    """Enable a user again."""

    async def step(stores: Stores, _: Settings) -> None:
        await stores.users.enable((await users.get(stores.users, name)).user_id)

    run_step(step)


@user.command()
@click.argument("name")
def disable(name: str) -> None:
    """Disable a user. Every session and token of the user ends at once."""

    async def step(stores: Stores, _: Settings) -> None:
        await stores.users.disable((await users.get(stores.users, name)).user_id)

    run_step(step)


@user.command()
@click.argument("name")
def unlock(name: str) -> None:
    """Reset a user's failed passwords and codes, so that the next attempt need not wait."""

    async def step(stores: Stores, _: Settings) -> None:
        user = await users.get(stores.users, name)
        await stores.counters.forget("user", str(user.user_id), USER)
        await stores.counters.forget("second_factor", str(user.user_id), SECOND_FACTOR)

    run_step(step)


@user.command()
@click.argument("name")
@as_json
def recover(name: str, is_json: bool) -> None:
    """Print a link for setting a new password, which works once and for 15 minutes.

    Give it to nobody but the user. Another password, and disabling the user, end it.
    """

    async def step(stores: Stores, settings: Settings) -> recovery.RecoveryLink:
        return await recovery.make_recovery_link(stores.recovery_links, stores.users, name, settings.issuer)

    link = run_step(step)
    show({"link": link.uri, "expires_at": link.expires_at.isoformat(timespec="seconds")}, is_json)


@user.command()
@click.argument("name")
def lift_hold(name: str) -> None:
    """Let an administrator change addresses and credentials again, within a day of a recovery.

    Make sure first that it was them who used the link.
    """

    async def step(stores: Stores, _: Settings) -> None:
        await recovery.lift_hold(stores.recovery_links, stores.users, name)

    run_step(step)


@user.command()
@click.argument("name")
def logout(name: str) -> None:
    """End every session and grant of a user."""

    async def step(stores: Stores, _: Settings) -> None:
        await stores.users.end_all((await users.get(stores.users, name)).user_id)

    run_step(step)


@user.command()
@click.argument("name")
def reset_factors(name: str) -> None:
    """Remove a user's passkeys, authenticator app and recovery codes. Sessions continue."""

    async def step(stores: Stores, settings: Settings) -> bool:
        user = await users.get(stores.users, name)
        mails = Notices.of(settings).about(None, user, "factors_removed")
        return await stores.second_factors.reset(user.user_id, mails=mails)

    if not run_step(step):
        raise click.ClickException(f"{name} has no second factor")


@user.command()
@click.argument("name")
@as_json
def consents(name: str, is_json: bool) -> None:
    """List a user's consents and grants by client."""

    async def step(stores: Stores, _: Settings) -> Sequence[ClientAccess]:
        return await stores.consents.of_user((await users.get(stores.users, name)).user_id)

    show_all([_shown_access(access) for access in run_step(step)], ("client_id", "scope", "grants"), is_json)


def _shown_access(access: ClientAccess) -> dict[str, Any]:
    last_used_at = access.last_used_at.isoformat() if access.last_used_at else None
    return {**asdict(access), "last_used_at": last_used_at}


@user.command()
@click.argument("name")
@click.argument("client_id", metavar="ID")
@as_json
def revoke_consent(name: str, client_id: str, is_json: bool) -> None:
    """Revoke a user's consent to a client, and its grants. The user stays signed in."""

    async def step(stores: Stores, _: Settings) -> int:
        user = await users.get(stores.users, name)
        await clients.get(stores.clients, client_id)
        return await stores.consents.revoke(user.user_id, client_id)

    show({"username": name, "client_id": client_id, "grants_revoked": run_step(step)}, is_json)


@user.command()
@click.argument("name")
def delete(name: str) -> None:
    """Delete a user with all sessions, consents and grants."""

    async def step(stores: Stores, _: Settings) -> None:
        await stores.users.delete((await users.get(stores.users, name)).user_id)

    run_step(step)
