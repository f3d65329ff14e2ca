"""`ostiary client posture`."""

import click

from services.cli.output import as_json, echo_json
from services.cli.standard_output import echo
from services.cli.steps import run_step
from shared.config.settings import Settings
from shared.operations.examination.posture import ClientPosture, posture
from shared.store.open import Stores


@click.command(name="posture")
@click.argument("client_id", metavar="[ID]", required=False)
@as_json
def show_posture(client_id: str | None, is_json: bool) -> None:
    """Show what is weak in the registration of each client, and what makes it safer.

    Disabled clients are shown only by ID.
    """

    async def step(stores: Stores, settings: Settings) -> list[ClientPosture]:
        examined = posture(stores.clients, stores.client_uses, settings, client_id)
        return [each async for each in examined]

    examined = run_step(step)
    if is_json:
        echo_json([each.members() for each in examined])
        return
    weak = [each for each in examined if each.weaknesses]
    for each in weak:
        echo(f"{each.client.client_id}  {each.client.client_name}".rstrip())
        for weakness in each.weaknesses:
            echo(f"  {weakness.member} {weakness.sentence}.\n    {weakness.remedy}")
    echo(f"{len(weak)} of {len(examined)} clients have weaknesses.")
