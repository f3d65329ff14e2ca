"""`ostiary client check`."""

from collections.abc import Sequence

import click

from services.cli.output import as_json, echo_json
from services.cli.standard_output import echo
from services.cli.steps import run_step
from shared.config.kinds.durations import parse_duration
from shared.config.settings import Settings
from shared.live import clock
from shared.operations.refusals.check import ExplainedRefusal, check_client
from shared.store.open import Stores
from shared.store.ports.refusals import REFUSALS_LIFETIME


@click.command()
@click.argument("client_id", metavar="ID")
@click.option("--since", metavar="DURATION", help="Only show refusals in this last period, such as 1h.")
@as_json
def check(client_id: str, since: str | None, is_json: bool) -> None:
    """Show why a client's last requests were refused, and what fixes it."""
    try:
        earliest = clock.now() - parse_duration(since) if since else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from None

    async def step(stores: Stores, _: Settings) -> Sequence[ExplainedRefusal]:
        return await check_client(stores.clients, stores.refusals, client_id, earliest)

    findings = [finding.members() for finding in run_step(step)]
    if is_json:
        echo_json(findings)
        return
    for finding in findings:
        echo(f"{finding['time']}  {finding['endpoint']}  {finding['error']}")
        echo(f"  {finding['detail']}")
        echo(f"  {finding['remedy']}")
    if not findings:
        period = since or f"{REFUSALS_LIFETIME.days}d"
        echo(f"No request of {client_id} was refused in the last {period}, as far as Redis knows.")
