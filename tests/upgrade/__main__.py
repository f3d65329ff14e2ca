"""`python -m tests.upgrade`: every upgrade and rollback, at length. Exit status 1 if something was lost."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.upgrade.rehearsal import rehearse
from tests.upgrade.releases import releases


@click.command()
@click.option("--rounds", default=20, show_default=True, help="Of requests, in each phase.")
def main(rounds: int) -> None:
    """Rehearse the upgrade from each release, and the rollback to it."""
    are_good = True
    for release in releases():
        began = time.monotonic()
        with TemporaryDirectory(prefix="ostiary-upgrade-") as folder:
            report = rehearse(release, Path(folder), rounds=rounds)
        click.echo(
            f"{release.commit[:8]}  {release.title}: {report.requests} requests in"
            f" {time.monotonic() - began:.0f} s, {report.late} repeated, {len(report.faults)} faults"
        )
        for fault in report.faults[:20]:
            click.echo(f"  {fault}")
        are_good = are_good and not report.faults
    if not are_good:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
