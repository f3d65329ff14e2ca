"""`ostiary doctor`."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path

import click

from deploy.local.caddy import local_ca
from services.cli.faults import faults_in_sentences
from services.cli.output import as_json, echo_json
from services.cli.steps import settings_here
from shared.config.environment import secret_files
from shared.operations.doctor.examine import examine
from shared.operations.doctor.findings import Finding


def show_findings(findings: Sequence[Finding], later: Collection[str] = ()) -> None:
    """A line for each. A fault in one of the subjects *later* is only to be done yet."""
    for finding in findings:
        word = "ok  " if finding.is_good else "todo" if finding.subject in later else "FAIL"
        click.echo(f"{word}  {finding.subject}: {finding.sentence}")


@click.command()
@click.option(
    "--ca-file",
    type=click.Path(exists=True, path_type=Path),
    help="An additional CA certificate to trust for the public URL.",
)
@as_json
def doctor(ca_file: Path | None, is_json: bool) -> None:
    """Check the public URL, the proxy, the stores, the keys, the clocks and the files."""
    with faults_in_sentences():
        settings = settings_here()
        trusted = ca_file or local_ca(settings.data_dir)
        findings = asyncio.run(examine(settings, secret_files(), trusted))
    if is_json:
        echo_json([finding.members() for finding in findings])
    else:
        show_findings(findings)
    if not all(finding.is_good for finding in findings):
        raise SystemExit(1)
