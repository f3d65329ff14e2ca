"""`ostiary profile`."""

from dataclasses import asdict
from typing import Any

import click

from services.cli.output import as_json, show, show_all
from shared.oauth.client.metadata.profiles import PROFILES, describe


@click.group()
def profile() -> None:
    """Show the profiles that a client can have."""


def _described(name: str) -> dict[str, Any]:
    return asdict(describe(name))


@profile.command(name="list")
@as_json
def list_profiles(is_json: bool) -> None:
    """List the profiles."""
    show_all([_described(name) for name in PROFILES], ("name",), is_json)


@profile.command(name="show")
@click.argument("name", type=click.Choice(list(PROFILES)))
@as_json
def show_profile(name: str, is_json: bool) -> None:
    """Show what a profile sets where a client says nothing, and what it refuses."""
    show(_described(name), is_json)
