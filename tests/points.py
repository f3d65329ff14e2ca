"""The table of OpenID behaviour, `points.md`, as records; and `--point`, which runs the tests of a point."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tables import NamedTest, named_tests, rows

_TABLE = Path(__file__).with_name("points.md")
_ROW = re.compile(r"\| ([A-Z]{0,2}\d+) \| ([^|]+) \| ([^|]+) \|")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, its point, and the tests that cover it."""

    point: int | str
    text: str
    tests: tuple[NamedTest, ...]


def statements() -> tuple[Statement, ...]:
    """The rows of the table. Raises ValueError for a malformed row."""
    return tuple(Statement(_point(row[1]), row[2], named_tests(row[3])) for row in rows(_TABLE, _ROW))


def _point(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--point 8 --point 9`."""
    parser.addoption(
        "--point",
        type=_point,
        action="append",
        metavar="N",
        help="run only the tests of a point of points.md",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests that name none of the selected points."""
    if not (wanted := config.getoption("point")):
        return
    config.hook.pytest_deselected(items=[item for item in items if not _names_one(item, wanted)])
    items[:] = [item for item in items if _names_one(item, wanted)]


def _names_one(item: pytest.Item, points: list[int | str]) -> bool:
    return any(point in points for mark in item.iter_markers("point") for point in mark.args)
