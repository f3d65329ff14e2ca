"""`ostiary setup`."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from services.cli.doctor import show_findings
from services.cli.faults import faults_in_sentences
from services.cli.setup_steps import PROXIES, next_steps
from shared.config.environment import read_settings
from shared.config.settings import SettingsError
from shared.operations.doctor.examine import examine
from shared.operations.setup import SetupError, SetupFiles

QUESTIONS: Mapping[str, str] = {
    "OSTIARY_ISSUER": "Issuer, such as https://id.example.org/oidc",
    "OSTIARY_DATABASE_URL": "PostgreSQL, such as postgresql://ostiary:PASSWORD@127.0.0.1/ostiary",
    "OSTIARY_REDIS_URL": "Redis or Valkey, such as redis://127.0.0.1:6379",
}
OPTIONS = {
    "OSTIARY_ISSUER": "--issuer",
    "OSTIARY_DATABASE_URL": "--database-url",
    "OSTIARY_REDIS_URL": "--redis-url",
}
LATER = frozenset({"Migrations", "Keys", "Public URL"})
"""Subjects of the doctor that cannot be right before the first start."""


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="/etc/ostiary")
@click.option("--issuer", envvar="OSTIARY_ISSUER", help="The public URL, which ends in /oidc.")
@click.option("--database-url", envvar="OSTIARY_DATABASE_URL", help="PostgreSQL; may lead to a pooler.")
@click.option(
    "--database-direct-url", envvar="OSTIARY_DATABASE_DIRECT_URL", help="PostgreSQL without the pooler."
)
@click.option("--redis-url", envvar="OSTIARY_REDIS_URL", help="Redis or Valkey.")
@click.option("--proxy", type=click.Choice(PROXIES), help="The reverse proxy, for the last steps.")
@click.option(
    "--trusted-proxies", envvar="OSTIARY_TRUSTED_PROXIES", help="Its networks, unless it is on this machine."
)
@click.option("--overwrite", is_flag=True, help="Replace values of an earlier setup without asking.")
@click.option("--check/--no-check", default=True, help="Whether to run the checks of `ostiary doctor`.")
def setup(
    folder: Path,
    *,
    issuer: str | None,
    database_url: str | None,
    database_direct_url: str | None,
    redis_url: str | None,
    proxy: str | None,
    trusted_proxies: str | None,
    overwrite: bool,
    check: bool,
) -> None:
    """Write a production configuration to FOLDER: ostiary.env and secret-key.

    Asks for what no option gives; without a terminal, the options must give it. An earlier setup is the
    default, and its secret key is always kept.
    """
    files = SetupFiles(folder.absolute())
    options = {
        "OSTIARY_ISSUER": issuer,
        "OSTIARY_DATABASE_URL": database_url,
        "OSTIARY_DATABASE_DIRECT_URL": database_direct_url,
        "OSTIARY_REDIS_URL": redis_url,
        "OSTIARY_TRUSTED_PROXIES": trusted_proxies,
    }
    with faults_in_sentences():
        wanted = _answers(options, files.values())
        wanted["OSTIARY_SECRET_KEY_FILE"] = str(files.secret_key)
        _check_replaced(files.replaced(wanted), files, overwrite=overwrite)
        is_new = files.write_secret_key()
        has_changed = files.write_settings(wanted)
        click.echo(f"{files.secret_key}: {'created' if is_new else 'kept'}")
        click.echo(f"{files.env_file}: {'written' if has_changed else 'unchanged'}")
        is_right = _examined(files) if check else True
    proxy = proxy or (
        click.prompt("Reverse proxy", type=click.Choice(PROXIES), default=PROXIES[0]) if _may_ask() else None
    )
    click.echo(next_steps(files, proxy))
    if not is_right:
        raise SystemExit(1)


def _may_ask() -> bool:
    return sys.stdin.isatty()


def _answers(given: Mapping[str, str | None], present: Mapping[str, str]) -> dict[str, str]:
    """What the options say, else what the answers to the questions say. Raises SettingsError."""
    answers = {name: value for name, value in given.items() if value is not None}
    missing = [OPTIONS[name] for name in QUESTIONS if name not in answers and name not in present]
    if missing and not _may_ask():
        raise click.UsageError(f"There is no terminal to ask at: give {', '.join(missing)}.")
    for name, question in QUESTIONS.items():
        if name not in answers and _may_ask():
            answers[name] = click.prompt(question, default=present.get(name), value_proc=_valid(name))
    read_settings(answers)
    return answers


def _valid(name: str) -> Callable[[str], str]:
    """Refuses an answer that the setting refuses, so that the question is repeated."""

    def value_of(answer: str) -> str:
        try:
            read_settings({name: answer})
        except SettingsError as error:
            raise click.UsageError("\n".join(error.faults)) from None
        return answer

    return value_of


def _check_replaced(names: tuple[str, ...], files: SetupFiles, *, overwrite: bool) -> None:
    """Raises SetupError unless replacing the values of *names* is intended."""
    if not names or overwrite:
        return
    listed = ", ".join(names)
    if _may_ask() and click.confirm(f"{files.env_file} has another {listed}. Replace?"):
        return
    raise SetupError(
        f"{files.env_file} has another {listed}: pass --overwrite to replace it. Nothing was changed"
    )


def _examined(files: SetupFiles) -> bool:
    """Show what the doctor finds. Returns whether all is right that can be before the first start."""
    findings = asyncio.run(examine(files.settings(), (files.env_file, files.secret_key)))
    show_findings(findings, LATER)
    return all(finding.is_good for finding in findings if finding.subject not in LATER)
