"""`ostiary resource`."""

from collections.abc import Sequence
from typing import Any, BinaryIO

import click

from services.cli.output import as_json, show, show_all
from services.cli.resource_snippets import SNIPPETS
from services.cli.standard_output import echo
from services.cli.steps import run_step
from shared.codec.json_text import BadJson, parse_object, parse_value
from shared.config.settings import Settings
from shared.oauth.resource.metadata import resource_metadata
from shared.operations import protected_resources as resources
from shared.store.open import Stores

_COLUMNS = ("name", "resource", "access_token_format", "clients")


def _rules(settings: Settings) -> resources.ResourceRules:
    return resources.ResourceRules(settings.issuer, settings.signing_algorithms)


@click.group()
def resource() -> None:
    """Manage protected resources: the APIs that clients request access tokens for."""


@resource.command()
@click.argument("file", type=click.File("rb"))
@as_json
def add(file: BinaryIO, is_json: bool) -> None:
    """Add the resource that FILE describes."""

    async def step(stores: Stores, settings: Settings) -> dict[str, Any]:
        members = parse_object(file.read())
        added = await resources.add_resource(stores.protected_resources, members, _rules(settings))
        return resources.shown(added)

    show(run_step(step), is_json)


@resource.command(name="import")
@click.argument("file", type=click.File("rb"))
@click.option("--prune", is_flag=True, help="Delete the resources that are not in FILE.")
@as_json
def import_resources(file: BinaryIO, prune: bool, is_json: bool) -> None:
    """Add or update the resources of a JSON list."""

    async def step(stores: Stores, settings: Settings) -> Sequence[dict[str, Any]]:
        described = parse_value(file.read())
        if not isinstance(described, list) or not all(isinstance(each, dict) for each in described):
            raise BadJson("it is not a list of objects")
        return await resources.import_resources(
            stores.protected_resources, described, _rules(settings), prune=prune
        )

    show_all(run_step(step), ("resource", "result"), is_json)


@resource.command(name="list")
@as_json
def list_resources(is_json: bool) -> None:
    """List all resources by name."""

    async def step(stores: Stores, _: Settings) -> list[dict[str, Any]]:
        return [resources.shown(each) for each in await stores.protected_resources.every()]

    show_all(run_step(step), _COLUMNS, is_json)


@resource.command(name="show")
@click.argument("name")
@as_json
def show_resource(name: str, is_json: bool) -> None:
    """Show one resource, by its name or identifier."""

    async def step(stores: Stores, _: Settings) -> dict[str, Any]:
        return resources.shown(await resources.get(stores.protected_resources, name))

    show(run_step(step), is_json)


@resource.command()
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@as_json
def update(name: str, file: BinaryIO, is_json: bool) -> None:
    """Change the members in FILE; null restores a default."""

    async def step(stores: Stores, settings: Settings) -> dict[str, Any]:
        changes = parse_object(file.read())
        updated = await resources.update_resource(stores.protected_resources, name, changes, _rules(settings))
        return resources.shown(updated)

    show(run_step(step), is_json)


@resource.command()
@click.argument("name")
def delete(name: str) -> None:
    """Delete a resource. No access token is issued for it any more."""

    async def step(stores: Stores, _: Settings) -> None:
        await resources.delete_resource(stores.protected_resources, name)

    run_step(step)


@resource.command()
@click.argument("name")
@click.option("--for", "proxy", type=click.Choice(sorted(SNIPPETS)), help="Print a snippet for this proxy.")
def metadata(name: str, proxy: str | None) -> None:
    """Print the metadata document (RFC 9728) of a resource, which its own host serves."""

    async def step(stores: Stores, settings: Settings) -> str:
        record = await resources.get(stores.protected_resources, name)
        document = resource_metadata(record, settings.issuer)
        return SNIPPETS[proxy or "json"](record.resource, document)

    echo(run_step(step))
