"""The table of attacks, `cases.md`, as records."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.tables import NamedTest, named_tests, rows

_TABLE = Path(__file__).with_name("cases.md")
_ROW = re.compile(r"\| (\d+) \| ([CHML]) \| ([^|]+) \| ([^|]+) \|")


@dataclass(frozen=True, slots=True)
class Case:
    """An attack, and the tests that make it."""

    number: int
    severity: str
    title: str
    tests: tuple[NamedTest, ...]


def cases() -> tuple[Case, ...]:
    """The rows of the table. Raises ValueError for a malformed row."""
    return tuple(Case(int(row[1]), row[2], row[3], named_tests(row[4])) for row in rows(_TABLE, _ROW))
