"""The table of attacks, `cases.md`, as records."""

import re
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).with_name("cases.md")
_ROW = re.compile(r"\| (\d+) \| ([CHML]) \| ([^|]+) \| ([^|]+) \|")


@dataclass(frozen=True, slots=True)
class Case:
    """An attack, and the tests that make it: `file` below `tests/`, and the function's name."""

    number: int
    severity: str
    title: str
    tests: tuple[tuple[str, str], ...]


def _tests(cell: str) -> tuple[tuple[str, str], ...]:
    files = (file.split(": ") for file in cell.split("; "))
    return tuple(
        (re.sub(r"/", "/test_", file) + ".py", f"test_{name}")
        for file, names in files
        for name in names.split(", ")
    )


def cases() -> tuple[Case, ...]:
    """The rows of the table. Raises ValueError: a line looks like a row and is none."""
    lines = [line for line in _TABLE.read_text("utf-8").splitlines() if re.match(r"\| *[0-9]", line)]
    rows = [_ROW.fullmatch(line) for line in lines]
    for row, line in zip(rows, lines, strict=True):
        if row is None:
            raise ValueError(line)
    return tuple(Case(int(row[1]), row[2], row[3], _tests(row[4])) for row in rows if row)
