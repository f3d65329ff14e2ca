"""`python -m tests.fuzz`: random inputs until one causes a failure. Exit status 1 if one did."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from shared.config.settings import Settings
from tests.bench.deployment import deployment
from tests.fuzz.inputs import Input, inputs
from tests.fuzz.rules import read
from tests.fuzz.services import serve, settings

CASES = Path(__file__).with_name("cases")
MOST = 20  # failures after which a run gives up


def keep(given: Input) -> Path:
    """Store a failing input as a case for `test_fuzz.py`."""
    text = given.to_json()
    path = CASES / f"{given.parser}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    path.write_text(text + "\n", "utf-8")
    return path


def without_servers(seed: int, count: int) -> Iterator[tuple[Input, str]]:
    """The inputs on which a parser failed, with the failure."""
    for given in inputs(seed, count):
        try:
            read(given, datetime.now(UTC))
        except Exception as fault:
            yield given, repr(fault)


async def over_http(given: Settings, seed: int, count: int) -> list[tuple[Input, str]]:
    """The inputs on which a service failed, with the failure."""
    failures: list[tuple[Input, str]] = []
    async with serve(given) as services:
        for one in inputs(seed, count):
            if fault := await services.send(one):
                failures.append((one, fault))
            if len(failures) == MOST:
                break
    return failures


async def _over_http(seed: int, count: int) -> list[tuple[Input, str]]:
    async with deployment() as deployed:
        found = (await deployed.start_stores()).settings
        assert found.database_url
        assert found.redis_url
        urls = (found.database_url.get_secret_value(), found.redis_url.get_secret_value())
        return await over_http(settings(*urls), seed, count)


def _told(kind: str, count: int, started: float, failures: list[tuple[Input, str]]) -> None:
    seconds = time.monotonic() - started
    click.echo(f"{count} inputs {kind}: {len(failures)} failures, {seconds:.0f} seconds")
    for given, fault in failures:
        click.echo(f"  {keep(given).name}: {fault[:200]}")


@click.command()
@click.option("--inputs", "count", default=100_000, show_default=True, help="How many without servers.")
@click.option("--http", default=3_000, show_default=True, help="How many more over HTTP, with real stores.")
@click.option("--seed", type=int, help="Of an earlier run; else by chance.")
def main(count: int, http: int, seed: int | None) -> None:
    """Fuzz the parsers that read untrusted input."""
    seed = secrets.randbelow(2**32) if seed is None else seed
    click.echo(f"seed {seed}")
    started, failures = time.monotonic(), []
    for failure in without_servers(seed, count):
        failures.append(failure)
        if len(failures) == MOST:
            break
    _told("without servers", count, started, failures)
    started = time.monotonic()
    broken = asyncio.run(_over_http(seed + 1, http)) if http else []
    _told("over HTTP", http, started, broken)
    raise SystemExit(1 if failures or broken else 0)


if __name__ == "__main__":
    main()
