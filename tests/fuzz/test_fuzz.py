"""Stored inputs of earlier failures, and inputs of a fixed seed, cause no failure."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

from tests.fuzz.inputs import Input, Parser, inputs
from tests.fuzz.rules import read
from tests.fuzz.services import serve, settings

CASES = [
    Input.from_json(path.read_text("utf-8"))
    for path in sorted(Path(__file__).with_name("cases").glob("*.json"))
]


def test_a_parser_understands_or_refuses() -> None:
    """Errors are those of the protocol, and some inputs of each kind are accepted."""
    now = datetime.now(UTC)
    understood = {given.parser for given in [*CASES, *inputs(1, 3000)] if read(given, now)}
    assert understood == set(Parser)


async def test_no_service_breaks(database_url: str, redis_url: str) -> None:
    """Over HTTP, with real stores: no 5xx, and no error in the log."""
    async with serve(settings(database_url, redis_url)) as services:
        for given in [*CASES, *inputs(2, 400)]:
            assert await services.send(given) is None, given


def test_a_seed_makes_the_same_inputs_again() -> None:
    """A seed repeats its inputs, except the times in assertions, and a stored failure repeats the failure."""
    kinds = [given.parser for given in inputs(3, 300)]
    once, again = (list(inputs(3, 300)) for _ in range(2))
    same = [one == other for one, other in zip(once, again, strict=True)]
    assert sum(same) >= len(kinds) - len(kinds) // 3
    assert [Input.from_json(given.to_json()) for given in once] == once
    assert Random(3).random() == Random(3).random()
