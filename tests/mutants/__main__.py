"""`python -m tests.mutants`: small changes to the rules that keep strangers out, which tests must notice."""

import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.mutants.explained import EXPLAINED, Verdict, read
from tests.mutants.judge import is_killed, prepare
from tests.mutants.mutants import Change, mutants

ROOT = Path(__file__).parents[2]
TESTS = {
    "client_auth": ("test_client_auth", "test_client_assertion"),
    "client_jwks": ("test_client_jwks",),
    "client_secret": ("test_client_secret",),
    "jwt": ("test_jwt",),
    "pkce": ("test_pkce",),
    "redirect_uri": ("test_redirect_uri",),
    "registered_uri": ("test_registered_uri",),
}
"""The modules of `shared/oauth`, each with the tests of `tests/unit` that must notice a change of it."""


def survivors(name: str) -> tuple[int, list[Change]]:
    """How many mutants a module has, and which of them no test has noticed. Raises ClickException."""
    module = f"shared.oauth.{name}"
    source = (ROOT / "shared" / "oauth" / f"{name}.py").read_text("utf-8")
    tests = [ROOT / "tests" / "unit" / f"{test}.py" for test in TESTS[name]]
    for test in TESTS[name]:  # what it imports is warm from here on
        importlib.import_module(f"tests.unit.{test}")
    if is_killed(module, source, tests):
        raise click.ClickException(
            f"without any change already, a test fails: pytest {' '.join(map(str, tests))}"
        )
    changed = list(mutants(module, source))
    with click.progressbar(changed, label=module) as bar:
        return len(changed), [mutant.change for mutant in bar if not is_killed(module, mutant.source, tests)]


@click.command()
@click.argument("modules", nargs=-1, type=click.Choice([*TESTS]))
def main(modules: Sequence[str]) -> None:
    """Change one thing at a time in MODULES of shared/oauth, by default in all of them, and run their tests.

    A change that no test notices needs a test, or a line in tests/mutants/explained.txt that says why none is
    needed.
    """
    started, total, survived = time.monotonic(), 0, list[Change]()
    explained = read(EXPLAINED.read_text("utf-8"))
    names = modules or tuple(TESTS)
    with TemporaryDirectory() as folder:
        prepare(Path(folder))
        for name in names:
            count, left = survivors(name)
            click.echo(f"{name}: {count} mutants, {count - len(left)} killed, {len(left)} survived")
            total += count
            survived += left
    chosen = {f"shared.oauth.{name}" for name in names}
    verdict = Verdict.of(
        survived, {change: why for change, why in explained.items() if change.module in chosen}
    )
    click.echo(f"\n{verdict}\n")
    click.echo(
        f"{total} mutants: {total - len(survived)} killed, {len(survived)} survived, "
        f"{len(verdict.unexplained)} of them unexplained, {time.monotonic() - started:.0f} seconds"
    )
    raise SystemExit(0 if verdict.is_good else 1)


if __name__ == "__main__":
    main()
