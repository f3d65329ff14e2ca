"""`python -m tests.mutants`: mutations of security rules and infrastructure, which tests must notice."""

import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.mutants.explained import EXPLAINED, MutantReport, read
from tests.mutants.judge import is_killed, prepare
from tests.mutants.mutants import MutantChange, mutants

ROOT = Path(__file__).parents[2]
CLIENT, TOKENS = "shared.oauth.client", "shared.oauth.tokens"
HTTP, LIVE = "shared.server.http", "shared.live"
POSTGRES, REDIS = "shared.store.postgres.transport", "shared.store.redis.transport"
TESTS = {
    f"{CLIENT}.authentication": ("unit/test_client_auth",),
    f"{CLIENT}.assertion": ("unit/test_client_assertion",),
    f"{CLIENT}.jwks": ("unit/test_client_jwks",),
    f"{CLIENT}.secret": ("unit/test_client_secret",),
    f"{CLIENT}.registered_uri": ("unit/test_registered_uri",),
    f"{TOKENS}.jwt": ("unit/test_jwt",),
    "shared.oauth.pkce": ("unit/test_pkce",),
    "shared.oauth.redirect_uri": ("unit/test_redirect_uri",),
    f"{HTTP}.connection": ("unit/test_connection",),
    f"{HTTP}.dispatch": ("unit/test_dispatch", "unit/test_request_age"),
    f"{HTTP}.drain": ("unit/test_drain",),
    f"{HTTP}.lateness": ("unit/test_lateness",),
    "shared.server.log.line": ("unit/test_log_line", "unit/test_redaction"),
    "shared.server.log.output": ("unit/test_log_output",),
    "shared.server.log.request_log": ("unit/test_request_log",),
    "shared.server.metrics": ("unit/test_metrics",),
    "shared.server.readiness": ("unit/test_readiness",),
    "shared.server.workers": ("unit/test_workers",),
    f"{LIVE}.background": ("unit/test_background",),
    f"{LIVE}.client_keys": ("unit/test_client_keys",),
    f"{LIVE}.rate_limiter": ("unit/test_rate_limiter",),
    f"{LIVE}.watch": ("unit/test_watch",),
    f"{POSTGRES}.idle": ("unit/test_pool", "contract/test_database_faults"),
    f"{POSTGRES}.waiting": ("unit/test_pool", "contract/test_database_faults"),
    f"{POSTGRES}.pool": ("unit/test_pool", "contract/test_database_faults"),
    f"{POSTGRES}.server_clock": ("unit/test_server_clock",),
    f"{REDIS}.pipeline": ("contract/test_redis_transport",),
    f"{REDIS}.slots": ("unit/test_redis_slots",),
}
"""Modules, each with the tests that must notice a change of it, as paths below `tests`."""


def survivors(module: str) -> tuple[int, list[MutantChange]]:
    """The number of mutants of a module, and those that no test has noticed. Raises ClickException."""
    source = (ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")
    tests = [ROOT / "tests" / f"{test}.py" for test in TESTS[module]]
    for test in TESTS[module]:  # imported once here, so that the forked processes need not
        importlib.import_module(f"tests.{test.replace('/', '.')}")
    if is_killed(module, source, tests):
        raise click.ClickException(
            f"a test fails although nothing is changed: pytest {' '.join(map(str, tests))}"
        )
    changed = list(mutants(module, source))
    with click.progressbar(changed, label=module) as bar:
        return len(changed), [mutant.change for mutant in bar if not is_killed(module, mutant.source, tests)]


_PACKAGES = {name.rpartition(".")[0] for name in TESTS}
_NAMES = sorted({*TESTS, *_PACKAGES, "shared.oauth", "shared.server"})


def _dotted(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{name}." for name in names)


@click.command()
@click.argument("modules", nargs=-1, type=click.Choice(_NAMES))
def main(modules: Sequence[str]) -> None:
    """Change one thing at a time in MODULES, by default in all of them, and run their tests.

    A package, such as `shared.live`, stands for its modules.

    A change that no test notices needs a test, or a line in tests/mutants/explained.txt that says why none is
    needed.
    """
    started, total, survived = time.monotonic(), 0, list[MutantChange]()
    explained = read(EXPLAINED.read_text("utf-8"))
    names = [name for name in TESTS if not modules or f"{name}.".startswith(_dotted(modules))]
    with TemporaryDirectory() as folder:
        prepare(Path(folder))
        for name in names:
            count, left = survivors(name)
            click.echo(f"{name}: {count} mutants, {count - len(left)} killed, {len(left)} survived")
            total += count
            survived += left
    verdict = MutantReport.of(
        survived, {change: why for change, why in explained.items() if change.module in names}
    )
    click.echo(f"\n{verdict}\n")
    click.echo(
        f"{total} mutants: {total - len(survived)} killed, {len(survived)} survived, "
        f"{len(verdict.unexplained)} of them unexplained, {time.monotonic() - started:.0f} seconds"
    )
    raise SystemExit(0 if verdict.is_good else 1)


if __name__ == "__main__":
    main()
