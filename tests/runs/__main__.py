"""`python -m tests.runs`: when the long targets ran last, what has changed since, and a new entry."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import click

from shared.live import clock
from tests.runs.record import RECORD, RecordedRun, RunRecord, digest
from tests.runs.targets import MEANT

ROOT = Path(__file__).parents[2]


def _git(*arguments: str) -> str | None:
    """What git answers; None: there is no git, no history, or not as much of it."""
    try:
        done = subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _age(run: RecordedRun) -> str:
    """How long ago a run was, in days, and in commits to what it covered."""
    days = f"{(clock.now().date() - run.date).days} days ago"
    commits = _git("rev-list", "--count", f"{run.commit}..HEAD", "--", *run.covers)
    if commits is None:
        return f"{days}, an unknown number of commits ago: its commit is not in the history of this tree"
    return f"{days}, {commits} commits ago"


def _line(run: RecordedRun) -> str:
    try:
        is_current = digest(ROOT, run.covers) == run.digest
    except OSError:
        is_current = False
    state = "current" if is_current else "CHANGED SINCE"
    return f"{run.target}  {', '.join(run.covers)}\n  {state}; {_age(run)}\n  {run.result}"


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Show when each long target ran last, and whether what it covered has changed since."""
    if context.invoked_subcommand:
        return
    record = RunRecord.read(RECORD.read_text("utf-8"))
    for run in sorted(record.runs, key=lambda run: (run.target, run.date)):
        click.echo(_line(run))
    for gap in record.gaps:
        click.echo(f"{gap.target}  {', '.join(gap.covers)}\n  NOT RECORDED: {gap.why}")


@main.command()
@click.argument("target", type=click.Choice(sorted(MEANT)))
@click.argument("covers", nargs=-1, required=True)
@click.option("--result", required=True, help="What came of it, in one line.")
@click.option("--commit", help="The commit that it ran on, if not the present one.")
def add(target: str, covers: Sequence[str], result: str, commit: str | None) -> None:
    """Record a run of TARGET that has just ended and covered COVERS as they are now."""
    commit = commit or _git("rev-parse", "HEAD")
    if commit is None:
        raise click.ClickException("there is no git here: give --commit")
    paths = ", ".join(f'"{path}"' for path in covers)
    quoted = result.replace("\\", "\\\\").replace('"', '\\"')
    entry = f"""
[[run]]
target = "{target}"
date = {clock.now().date()}
commit = "{commit}"
covers = [{paths}]
digest = "{digest(ROOT, covers)}"
result = "{quoted}"
"""
    RunRecord.read(entry)
    with RECORD.open("a", encoding="utf-8") as record:
        record.write(entry)


if __name__ == "__main__":
    main()
