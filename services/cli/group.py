"""`ostiary group`."""

from typing import Any

import click

from services.cli.output import as_json, show, show_each
from services.cli.steps import run_step
from shared.config.settings import Settings
from shared.oauth.resource.own import ADMINISTRATION_SCOPES
from shared.operations import groups, users
from shared.store import UserGroup
from shared.store.open import Stores


@click.group()
def group() -> None:
    """Manage groups and their members."""


_scope = click.option(
    "--scope", "scopes", multiple=True, metavar="S", help="An administration scope that its members have."
)


_second_factor = click.option(
    "--require-second-factor/--no-second-factor",
    "is_required",
    default=None,
    help="Whether its members sign in with a second factor.",
)


@group.command()
@click.argument("name")
@_scope
@_second_factor
@as_json
def add(name: str, *, scopes: tuple[str, ...], is_required: bool | None, is_json: bool) -> None:
    """Add a group without members."""

    async def step(stores: Stores, _: Settings) -> UserGroup:
        return await groups.add_group(
            stores.groups, name, scopes, requires_second_factor=is_required or False
        )

    show(groups.shown(run_step(step)), is_json)


@group.command(name="list")
@as_json
def list_groups(is_json: bool) -> None:
    """List all groups by name."""

    async def step(stores: Stores, _: Settings) -> None:
        shown = (groups.shown(each) async for each in groups.every_group(stores.groups))
        columns = ("name", "member_count", "effective_member_count", "parents", "effective_scopes")
        await show_each(shown, columns, is_json)

    run_step(step)


@group.command(name="show")
@click.argument("name")
@as_json
def show_group(name: str, is_json: bool) -> None:
    """Show one group and its members. Those of groups in it are among the effective members."""

    async def step(stores: Stores, _: Settings) -> dict[str, Any]:
        group = await groups.get(stores.groups, name)
        members = [each async for each in groups.every_member(stores.groups, group.name)]
        everybody = groups.every_member(stores.groups, group.name, is_effective=True)
        effective = [each async for each in everybody]
        return {**groups.shown(group), "members": members, "effective_members": effective}

    show(run_step(step), is_json)


@group.command()
@click.argument("name")
@click.option("--name", "new", metavar="NEW", help="New name.")
@_scope
@click.option("--all-scopes", is_flag=True, help="Every administration scope.")
@click.option("--no-scopes", is_flag=True, help="No administration scope.")
@_second_factor
@as_json
def update(
    name: str,
    *,
    new: str | None,
    scopes: tuple[str, ...],
    all_scopes: bool,
    no_scopes: bool,
    is_required: bool | None,
    is_json: bool,
) -> None:
    """Change the name of a group, or what its members may and must do."""
    if [bool(scopes), all_scopes, no_scopes].count(True) > 1:
        raise click.UsageError("use one of --scope, --all-scopes and --no-scopes")
    requested = ADMINISTRATION_SCOPES if all_scopes else scopes

    async def step(stores: Stores, _: Settings) -> UserGroup:
        current = await groups.get(stores.groups, name)
        new_scopes = requested if requested or no_scopes else current.scopes
        requires = current.requires_second_factor if is_required is None else is_required
        return await groups.replace_group(
            stores.groups, current, new or current.name, new_scopes, requires_second_factor=requires
        )

    show(groups.shown(run_step(step)), is_json)


@group.command()
@click.argument("name")
def delete(name: str) -> None:
    """Delete a group. Whoever is in it stays a user, and is signed out everywhere."""

    async def step(stores: Stores, _: Settings) -> None:
        await groups.delete_group(stores.groups, await groups.get(stores.groups, name))

    run_step(step)


def _check_member(user: str | None, member: str | None) -> None:
    if (user is None) is (member is None):
        raise click.UsageError("name either a user or, with --group, a group")


_user = click.argument("user", required=False)
_member = click.option("--group", "member", metavar="MEMBER", help="A group instead of a user.")


@group.command()
@click.argument("name")
@_user
@_member
def join(name: str, user: str | None, member: str | None) -> None:
    """Make a user, by user name or e-mail address, or all members of a group, members of group NAME."""
    _check_member(user, member)

    async def step(stores: Stores, _: Settings) -> None:
        if member is not None:
            await groups.nest_group(stores.groups, await groups.get(stores.groups, name), member)
        elif user is not None:
            await groups.join_group(stores.groups, name, (await users.get(stores.users, user)).user_id)

    run_step(step)


@group.command()
@click.argument("name")
@_user
@_member
def leave(name: str, user: str | None, member: str | None) -> None:
    """End a membership in group NAME. Every session and grant of whoever leaves ends."""
    _check_member(user, member)

    async def step(stores: Stores, _: Settings) -> None:
        if member is not None:
            await groups.unnest_group(stores.groups, await groups.get(stores.groups, name), member)
        elif user is not None:
            await groups.leave_group(stores.groups, name, (await users.get(stores.users, user)).user_id)

    run_step(step)
