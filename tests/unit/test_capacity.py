"""The capacity model, with costs that are easy to multiply."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from deploy.capacity.__main__ import BENCH, GROWTH, main
from deploy.capacity.model import Cost, Measured, Mix, limits, plan
from tests.flow.starter import ROOT

MIX = Mix(refreshes=4, userinfo=1, utilisation=0.5)
MEASURED = Measured(
    date="2026-01-01",
    machine="a machine",
    costs={
        "sign-in ES256": Cost(0.030, 0.003, 0.0020, 0.0010, 6),
        "code flow ES256": Cost(0.002, 0.002, 0.0010, 0.0005, 2),
        "authorization": Cost(0.001, 0.001, 0.0005, 0.0005, 1),
        "refresh ES256": Cost(0.002, 0.001, 0.0010, 0.0, 1),
        "userinfo": Cost(0.001, 0.001, 0.0010, 0.0, 1),
    },
    memory={"authorization": 200, "token": 100},
    bytes_a_flow=10,
)


def test_processes_are_as_many_as_a_load_needs() -> None:
    """A sign-in costs 29 ms in authorization and 10 ms in token; half of each core is used."""
    one = plan(MEASURED, MIX, 90)
    assert (one.authorization, one.token) == (6, 2)
    assert one.postgresql_cores == 2  # 90 × (2 + 4 + 1) ms
    assert one.redis_primaries == 1
    assert one.proxy_cores == 2
    assert one.statements == 90 * (6 + 4 + 1)
    assert one.memory == 6 * 200 + 2 * 100 + 8 * 100
    assert one.connections == 16 * (6 + 2 + 8)
    assert one.growth == 90 * 10 * 86_400


def test_a_small_load_has_two_of_each() -> None:
    """So that one of them may stop."""
    one = plan(MEASURED, MIX, 0.1)
    assert (one.authorization, one.token, one.postgresql_cores, one.redis_primaries) == (2, 2, 1, 1)


def test_limits_are_where_a_plan_meets_them() -> None:
    """In the order in which they are met, each at the load that just fits."""
    found = limits(MEASURED, MIX, primary_cores=8)
    assert [limit.rate for limit in found] == sorted(limit.rate for limit in found)
    pooler, redis, postgresql = found
    assert "PgBouncer" in pooler.then
    assert plan(MEASURED, MIX, redis.rate * 0.999).redis_primaries == 1
    assert plan(MEASURED, MIX, redis.rate * 1.001).redis_primaries == 2
    assert plan(MEASURED, MIX, postgresql.rate * 0.999).postgresql_cores == 8
    assert plan(MEASURED, MIX, postgresql.rate * 1.001).postgresql_cores == 9


def test_less_that_follows_costs_less() -> None:
    """A sign-in alone needs fewer token processes and a smaller PostgreSQL."""
    alone = plan(MEASURED, replace(MIX, refreshes=0, userinfo=0), 10_000)
    usual = plan(MEASURED, MIX, 10_000)
    assert alone.token < usual.token
    assert alone.postgresql_cores < usual.postgresql_cores
    assert alone.authorization == usual.authorization


def test_void_measurements_are_no_measurements() -> None:
    """A row that was answered wrongly has no costs."""
    bench = json.loads(BENCH.read_text("utf-8"))
    assert not bench["is_void"]
    del bench["rows"][0]["services"]
    with pytest.raises(KeyError):
        Measured.of(bench, json.loads(GROWTH.read_text("utf-8")))


def test_the_guide_shows_what_the_command_prints() -> None:
    """The block in deploy/README.md is its output."""
    done = CliRunner().invoke(main, [], catch_exceptions=False)
    section = (ROOT / "deploy" / "README.md").read_text("utf-8").partition("\n### Capacity\n")[2]
    assert f"```console\n$ python -m deploy.capacity\n{done.output}```\n" in section
