"""The table of specifications against the tests that it names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_TEXT = (ROOT / "tests" / "conformance.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| (`[^|]+`) \|$", _TEXT, re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_is_said_to_be_supported_is_shown(row: tuple[str, str, str]) -> None:
    """Every row names files that exist and have tests."""
    _, _, shown = row
    for name in shown.split(", "):
        file = ROOT / name.strip("`")
        assert file.parent.parent == ROOT / "tests", name
        assert re.search(r"^(?:async )?def test_", file.read_text("utf-8"), re.MULTILINE), name


def test_every_row_is_read() -> None:
    """No row is malformed and would be skipped."""
    lines = [line for line in _TEXT.splitlines() if line.startswith("|")]
    assert len(ROWS) == len(lines) - 2 > 0
    assert len({name for name, _, _ in ROWS}) == len(ROWS)
