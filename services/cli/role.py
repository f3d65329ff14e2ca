"""`ostiary role`."""

from typing import Any

import click

from services.cli.output import as_json, show, show_each
from services.cli.steps import run_step
from shared.config.settings import Settings
from shared.operations import roles, users
from shared.store import Role
from shared.store.open import Stores


@click.group()
def role() -> None:
    """Manage roles, and give them to users and groups."""


@role.command()
@click.argument("name")
@as_json
def add(name: str, is_json: bool) -> None:
    """Add a role that nobody has."""

    async def step(stores: Stores, _: Settings) -> Role:
        return await roles.add_role(stores.roles, name)

    show(roles.shown(run_step(step)), is_json)


@role.command(name="list")
@as_json
def list_roles(is_json: bool) -> None:
    """List all roles by name."""

    async def step(stores: Stores, _: Settings) -> None:
        shown = (roles.shown(each) async for each in roles.every_role(stores.roles))
        await show_each(shown, ("name", "user_count", "effective_user_count", "groups"), is_json)

    run_step(step)


@role.command(name="show")
@click.argument("name")
@as_json
def show_role(name: str, is_json: bool) -> None:
    """Show one role and who has it. Members of groups with the role are among the effective users."""

    async def step(stores: Stores, _: Settings) -> dict[str, Any]:
        role = await roles.get(stores.roles, name)
        by_themselves = [each async for each in roles.every_user(stores.roles, role.name)]
        everybody = [each async for each in roles.every_user(stores.roles, role.name, is_effective=True)]
        return {**roles.shown(role), "users": by_themselves, "effective_users": everybody}

    show(run_step(step), is_json)


@role.command()
@click.argument("name")
@click.option("--name", "new", metavar="NEW", required=True, help="New name.")
@as_json
def update(name: str, new: str, is_json: bool) -> None:
    """Change the name of a role."""

    async def step(stores: Stores, _: Settings) -> Role:
        return await roles.rename_role(stores.roles, await roles.get(stores.roles, name), new)

    show(roles.shown(run_step(step)), is_json)


@role.command()
@click.argument("name")
def delete(name: str) -> None:
    """Delete a role. Whoever has it is signed out everywhere."""

    async def step(stores: Stores, _: Settings) -> None:
        await roles.delete_role(stores.roles, await roles.get(stores.roles, name))

    run_step(step)


_user = click.argument("user", required=False)
_group = click.option("--group", metavar="GROUP", help="A group instead of a user.")


def _check_holder(user: str | None, group: str | None) -> None:
    if (user is None) is (group is None):
        raise click.UsageError("name either a user or, with --group, a group")


@role.command()
@click.argument("name")
@_user
@_group
def give(name: str, user: str | None, group: str | None) -> None:
    """Give role NAME to a user, by user name or e-mail address, or to whoever is in a group."""
    _check_holder(user, group)

    async def step(stores: Stores, _: Settings) -> None:
        if group is not None:
            await roles.give_role_to_group(stores.roles, stores.groups, name, group)
        elif user is not None:
            user_id = (await users.get(stores.users, user)).user_id
            await roles.give_role(stores.roles, stores.groups, name, user_id)

    run_step(step)


@role.command()
@click.argument("name")
@_user
@_group
def take(name: str, user: str | None, group: str | None) -> None:
    """Take role NAME from a user or a group. Every session and grant of whoever loses it ends."""
    _check_holder(user, group)

    async def step(stores: Stores, _: Settings) -> None:
        if group is not None:
            await roles.take_role_from_group(stores.roles, stores.groups, name, group)
        elif user is not None:
            user_id = (await users.get(stores.users, user)).user_id
            await roles.take_role(stores.roles, stores.groups, name, user_id)

    run_step(step)
