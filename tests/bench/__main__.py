"""`python -m tests.bench`: the cost of a request. Exit status 1 if the run is void."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle

import click

from tests.bench import table
from tests.bench.deployment import deployment
from tests.bench.filler import Filling, fill
from tests.bench.load import load_generator
from tests.bench.measure import Extent, Meter, Result, measure
from tests.bench.population import populate
from tests.bench.rows import ROWS, Row, scripts

USUAL = Extent(warm_up=0.3, measured=1.0)
QUICK = Extent(warm_up=0.1, measured=0.2)


def soak(meter: Meter, rows: Sequence[Row], requests: int) -> Iterator[str]:
    """Keep the services busy with *requests* operations, and print their sizes after each tenth."""
    done, tenth = 0, 1
    for row in cycle(rows):
        done += meter.soak(row)
        if done >= requests * tenth / 10:
            yield f"after {done} more: {table.memory(meter.memory())}"
            tenth = int(done * 10 / requests) + 1
        if done >= requests:
            return


async def run(
    rows: Sequence[Row],
    extent: Extent,
    filling: Filling,
    *,
    proxied: Sequence[bool],
    is_json: bool,
    requests: int,
    workers: int,
) -> bool:
    """Deploy, measure and print. Returns whether the run is valid."""
    async with deployment() as deployed:
        stores = await deployed.start_stores()
        click.echo(f"Filling the tables: {filling} …", err=True)
        await fill(stores.database_url, filling)
        click.echo("Making 10 000 users, and what they and their clients hold …", err=True)
        population = await populate(stores.settings)
        wanted = {service for row in rows for service in row.services}
        running = await deployed.start_services(stores.settings, wanted, workers)
        results: list[Result] = []
        show = partial(click.echo, err=is_json)
        with load_generator(partial(scripts, population)) as load:
            meter = Meter(load, running, stores, extent).at_rest()
            show(table.HEAD)
            for result in measure(meter, rows, proxied=proxied):
                results.append(result)
                show(table.line(result))
            for line in soak(meter, rows, requests) if requests else ():
                show(line)
            memory = meter.memory()
        for line in (*table.closing(results, memory), *deployed.faults()[:10]):
            show(line)
    if is_json:
        click.echo(table.as_json(results, memory))
    return not table.is_void(results)


@click.command()
@click.option("--quick", is_flag=True, help="Short loads: to see whether it works.")
@click.option("--row", "names", multiple=True, type=click.Choice([row.name for row in ROWS]))
@click.option("--direct", is_flag=True, help="Without the proxy alone.")
@click.option("--proxied", is_flag=True, help="Behind the proxy alone.")
@click.option("--seconds", default=USUAL.measured, show_default=True, help="How long each load is measured.")
@click.option("--json", "is_json", is_flag=True, help="The results as JSON on standard output.")
@click.option("--soak", "requests", default=0, metavar="N", help="Then N operations more, to see the memory.")
@click.option("--workers", default=1, metavar="N", help="With N processes of each service.")
@click.option("--users", default=0, metavar="N", help="With N users more in the tables.")
@click.option("--clients", default=0, metavar="N", help="With N clients more.")
@click.option("--grants", default=0, metavar="N", help="With N grants and refresh tokens more.")
def main(
    *,
    quick: bool,
    names: tuple[str, ...],
    direct: bool,
    proxied: bool,
    seconds: float,
    is_json: bool,
    requests: int,
    workers: int,
    users: int,
    clients: int,
    grants: int,
) -> None:
    """Measure the cost of requests, in round trips and CPU time."""
    rows = [row for row in ROWS if row.name in names or not names]
    ways = [is_proxied for is_proxied, is_left_out in ((False, proxied), (True, direct)) if not is_left_out]
    extent = QUICK if quick else replace(USUAL, measured=seconds)
    filling = Filling(users=users, clients=clients, grants=grants)
    running = run(rows, extent, filling, proxied=ways, is_json=is_json, requests=requests, workers=workers)
    if not asyncio.run(running):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
