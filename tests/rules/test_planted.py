"""Every planted defect has a test that must catch it."""

import ast
import re
from pathlib import Path

import pytest

from tests.planted import planted

ROOT = Path(__file__).parents[1]
AREAS = sorted(
    path for path in (ROOT / "planted").glob("*.py") if path.stem not in {"__init__", "__main__", "plugin"}
)


def _defects(path: Path) -> list[ast.FunctionDef]:
    return [
        node
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]


DEFECTS = [(path.stem, defect) for path in AREAS for defect in _defects(path)]
TESTS = "\n".join(
    path.read_text("utf-8") for path in sorted(ROOT.rglob("test_*.py")) if "node_modules" not in path.parts
)


@pytest.mark.parametrize(("area", "defect"), DEFECTS, ids=[f"{area}.{node.name}" for area, node in DEFECTS])
def test_a_defect_is_described_and_used(area: str, defect: ast.FunctionDef) -> None:
    """Each defect has a docstring and a test that names it."""
    assert ast.get_docstring(defect)
    in_process = re.search(rf"@planted\([^)]*\b{defect.name}\b", TESTS)
    assert in_process or f"{area}.{defect.name}" in TESTS, "no test must catch it"


_FACTS = {"two and two": 4}


def _miscounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted defect."""
    monkeypatch.setitem(_FACTS, "two and two", 5)


@planted(_miscounts)
def test_a_defect_is_in_place_when_the_test_runs() -> None:
    """The second run of this test fails, and is reported as passed."""
    assert _FACTS["two and two"] == 4
