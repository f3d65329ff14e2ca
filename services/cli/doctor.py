"""`ostiary doctor`."""

import asyncio
from pathlib import Path

import click

from deploy.local.caddy import local_ca
from services.cli.faults import faults_in_sentences
from services.cli.output import as_json, echo_json
from services.cli.steps import settings_here
from shared.operations import doctor as admin


@click.command()
@click.option(
    "--ca-file",
    type=click.Path(exists=True, path_type=Path),
    help="An additional CA certificate to trust for the public URL.",
)
@as_json
def doctor(ca_file: Path | None, is_json: bool) -> None:
    """Check the public URL, the stores, the keys and the clocks."""
    with faults_in_sentences():
        settings = settings_here()
        findings = asyncio.run(admin.examine(settings, ca_file or local_ca(settings.data_dir)))
    if is_json:
        echo_json([finding.members() for finding in findings])
    for finding in findings if not is_json else ():
        click.echo(f"{'ok  ' if finding.is_good else 'FAIL'}  {finding.subject}: {finding.sentence}")
    if not all(finding.is_good for finding in findings):
        raise SystemExit(1)
