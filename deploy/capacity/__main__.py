"""Print what carries a load, what ends first, and what then."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from deploy.capacity.model import CapacityPlan, Measured, Mix, limits, plan

BENCH, GROWTH = (Path(__file__).with_name(f"{name}.json") for name in ("bench", "growth"))
RATES = (1_000, 10_000, 100_000)
UNITS = ("MB", "GB", "TB", "PB")


def _number(value: float) -> str:
    """With two digits that count, and spaces between thousands."""
    return f"{round(value, 2 - len(str(int(value)))):,.0f}".replace(",", " ")


def _bytes(value: float) -> str:
    value, power = value / 1e6, 0
    while value >= 1000:
        value, power = value / 1000, power + 1
    return f"{value:.1f} {UNITS[power]}" if value < 10 else f"{_number(value)} {UNITS[power]}"


def _lines(one: CapacityPlan) -> Iterator[str]:
    yield f"{_number(one.rate)} sign-ins a second"
    yield (
        f"  processes   {_number(one.authorization)} authorization, {_number(one.token)} token,"
        f" 2 of each other service; {_bytes(one.memory)} in all"
    )
    yield f"  proxies     {_number(one.proxy_cores)} cores, and those for TLS"
    yield (
        f"  PostgreSQL  {_number(one.postgresql_cores)} cores, {_number(one.connections)} connections,"
        f" {_number(one.statements)} round trips a second, {_bytes(one.growth)} more a day"
    )
    primaries = "1 primary" if one.redis_primaries == 1 else f"{_number(one.redis_primaries)} primaries"
    yield f"  Redis       {primaries}"


@click.command()
@click.argument("rates", nargs=-1, type=click.FloatRange(min=0, min_open=True))
@click.option("--refreshes", default=4.0, show_default=True, help="After each sign-in.")
@click.option("--userinfo", default=1.0, show_default=True, help="Requests after each sign-in.")
@click.option("--utilisation", default=0.6, show_default=True, help="Of a core, at most.")
@click.option("--primary-cores", default=64, show_default=True, help="Of the largest PostgreSQL there is.")
@click.option(
    "--bench",
    type=click.Path(path_type=Path, exists=True),
    default=BENCH,
    help="What `python -m tests.bench --json` printed on your machine.  [default: on the project's]",
)
def main(rates: Sequence[float], primary_cores: int, bench: Path, **mix: Any) -> None:
    """Print what carries RATES sign-ins a second, each with a password and what follows it."""
    measured = Measured.of(json.loads(bench.read_text("utf-8")), json.loads(GROWTH.read_text("utf-8")))
    click.echo(f"Measured on {measured.date}, {measured.machine}")
    for rate in rates or RATES:
        click.echo("\n".join(("", *_lines(plan(measured, Mix(**mix), rate)))))
    click.echo("\nWhat ends first, and what then")
    for limit in limits(measured, Mix(**mix), primary_cores):
        click.echo(f"  {_number(limit.rate)} sign-ins a second: {limit.what}: {limit.then}")


if __name__ == "__main__":
    main()
