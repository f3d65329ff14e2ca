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
    """Signing and sealing keys."""


def _show(known: Sequence[StoredKey], is_json: bool) -> None:
    show_all([admin.shown(key, known, clock.now()) for key in known], _COLUMNS, is_json)


@keys.command(name="list")
@as_json
def list_keys(is_json: bool) -> None:
    """All keys and their states."""

    async def step(stores: Stores, _: Settings) -> Sequence[StoredKey]:
        return await stores.keys.load()

    _show(run_step(step), is_json)


@keys.command()
@as_json
def rotate(is_json: bool) -> None:
    """Let the next signing key of each algorithm take over, as soon as everybody may have seen it."""

    async def step(stores: Stores, settings: Settings) -> Sequence[StoredKey]:
        await admin.rotate_keys(stores.keys, settings, clock.now())
        return await stores.keys.load()

    _show(run_step(step), is_json)


@keys.command()
@click.argument("kid")
@click.option("--compromised", is_flag=True, help="Take it out at once; what it signed is refused.")
@as_json
def retire(kid: str, compromised: bool, is_json: bool) -> None:
    """Take one key out of use."""

    async def step(stores: Stores, settings: Settings) -> Sequence[StoredKey]:
        await admin.retire_key(stores.keys, kid, settings, clock.now(), is_compromised=compromised)
        return await stores.keys.load()

    _show(run_step(step), is_json)


@keys.command()
def rewrap() -> None:
    """Encrypt every key and client secret anew under the first OSTIARY_SECRET_KEY."""

    async def step(stores: Stores, settings: Settings) -> tuple[int, int]:
        return await admin.rewrap_keys(stores.keys, settings), await stores.clients.rewrap()

    rewrapped_keys, clients = run_step(step)
    click.echo(f"{rewrapped_keys} keys encrypted anew")
    if clients:
        click.echo(f"{clients} clients' secrets encrypted anew")
