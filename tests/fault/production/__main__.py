"""`python -m tests.fault.production`: a table of faults, with a verdict for each seed."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from tests.fault.production.deployment import Deployment, Layout, deployed
from tests.fault.production.run import Run, run
from tests.fault.production.table import FAULTS
from tests.tools import program_of

HISTORIES = Path(__file__).parents[3] / ".faults"


def _keep(name: str, seed: int, done: Run) -> Path:
    """Write down the history of a failure, a line for each operation."""
    HISTORIES.mkdir(exist_ok=True)
    path = HISTORIES / f"{name}-{seed}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for fault in done.faults:
            file.write(json.dumps({"fault": fault}) + "\n")
        for each in done.history.operations:
            line = {**asdict(each), "outcome": type(each.outcome).__name__, "detail": str(each.outcome)}
            file.write(json.dumps(line) + "\n")
    return path


async def _row(deployment: Deployment, name: str, seeds: Sequence[int]) -> bool:
    """Run one fault with every seed, and print its row. Returns whether all held."""
    failed = 0
    for seed in seeds:
        done = await run(deployment, FAULTS[name], seed)
        verdict = "held" if not done.faults else "FAILED"
        click.echo(f"  {name} seed {seed}: {verdict}; {done.outcomes()}; ready after {done.recovery:.1f} s")
        if done.faults:
            failed += 1
            path = _keep(name, seed, done)
            for fault in done.faults[:5]:
                click.echo(f"    {fault}")
            click.echo(f"    history: {path}")
    verdict = "held" if not failed else f"FAILED with {failed}"
    click.echo(f"{name:5} | {len(seeds):3} | {verdict:8} | {FAULTS[name].description}")
    return not failed


async def _all(
    layout: Layout, names: Sequence[str], seeds: Sequence[int], replicas: int, planted: str | None
) -> bool:
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        Path(folder).chmod(0o755)
        async with deployed(Path(folder), replicas, layout, planted) as deployment:
            return all([await _row(deployment, name, seeds) for name in names])


@click.command()
@click.option("--fault", "names", multiple=True, type=click.Choice(sorted(FAULTS)), help="Only these.")
@click.option(
    "--layout",
    "layouts",
    multiple=True,
    type=click.Choice([each.value for each in Layout]),
    help="Only these.",
)
@click.option("--seeds", type=click.IntRange(1), default=20, show_default=True)
@click.option("--first-seed", type=int, default=1, show_default=True)
@click.option("--replicas", type=click.IntRange(2), default=3, show_default=True, help="Of each service.")
@click.option("--planted", help="Defects, as `python -m tests.planted` takes them: a fault must then fail.")
def main(
    names: Sequence[str],
    layouts: Sequence[str],
    seeds: int,
    first_seed: int,
    replicas: int,
    planted: str | None,
) -> None:
    """Run every fault with so many seeds, and print a table: fault, seeds, verdict, what happens."""
    have_held = []
    for layout in map(Layout, layouts or Layout):
        rows = [name for name in names or FAULTS if layout in FAULTS[name].layouts]
        if layout is Layout.POOLED and program_of("pgbouncer") is None:
            click.echo("pooled: not run, because there is no PgBouncer (`make interop-tools` installs it)")
            rows = []
        if rows:
            click.echo(f"{layout}:")
            chosen = range(first_seed, first_seed + seeds)
            have_held.append(asyncio.run(_all(layout, rows, chosen, replicas, planted)))
    sys.exit(0 if all(have_held) else 1)


if __name__ == "__main__":
    main()
