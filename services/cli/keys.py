"""`ostiary keys`."""

from collections.abc import Sequence

import click

from services.cli.output import as_json, show_all
from services.cli.steps import run_step
from shared.config.settings import Settings
from shared.live import clock
from shared.operations import keys as admin
from shared.store import StoredKey
from shared.store.open import Stores

_COLUMNS = ("kid", "alg", "state", "activates_at", "retires_at")


@click.group()
def keys() -> None:
    """Manage signing and sealing keys."""


def _show(keys: Sequence[StoredKey], is_json: bool) -> None:
    show_all([admin.shown(key, keys, clock.now()) for key in keys], _COLUMNS, is_json)


@keys.command(name="list")
@as_json
def list_keys(is_json: bool) -> None:
    """List all keys and their states."""

    async def step(stores: Stores, _: Settings) -> Sequence[StoredKey]:
        return await stores.keys.load()

    _show(run_step(step), is_json)


@keys.command()
@as_json
def rotate(is_json: bool) -> None:
    """Activate the next signing key of each algorithm once every client may have fetched it."""

    async def step(stores: Stores, settings: Settings) -> Sequence[StoredKey]:
        await admin.rotate_keys(stores.keys, settings, clock.now())
        return await stores.keys.load()

    _show(run_step(step), is_json)


# A KID may begin with a hyphen, whatever letter follows.
@keys.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("kid")
@click.option("--compromised", is_flag=True, help="Withdraw it at once and reject everything it signed.")
@as_json
def retire(kid: str, compromised: bool, is_json: bool) -> None:
    """Retire one key."""

    async def step(stores: Stores, settings: Settings) -> Sequence[StoredKey]:
        await admin.retire_key(stores.keys, kid, settings, clock.now(), is_compromised=compromised)
        return await stores.keys.load()

    _show(run_step(step), is_json)


@keys.command()
def rewrap() -> None:
    """Encrypt all keys, client secrets and second factors again with the first OSTIARY_SECRET_KEY."""

    async def step(stores: Stores, settings: Settings) -> tuple[int, int, int]:
        keys = await admin.rewrap_keys(stores.keys, settings)
        return keys, await stores.clients.rewrap(), await stores.second_factors.rewrap()

    rewrapped_keys, clients, second_factors = run_step(step)
    click.echo(f"{rewrapped_keys} keys encrypted again")
    if clients:
        click.echo(f"{clients} client secrets encrypted again")
    if second_factors:
        click.echo(f"{second_factors} second factors encrypted again")
