"""Every planted defect has a test that must catch it."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.planted import planted
from tests.rules.sources import tree

TESTS = Path(__file__).parents[1]
AREAS = tuple(
    path for path in (TESTS / "planted").glob("*.py") if path.stem not in {"__init__", "__main__", "plugin"}
)


def _defects(path: Path) -> Iterator[ast.FunctionDef]:
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def test_a_defect_is_described_and_used() -> None:
    """Each defect has a docstring and a test that names it: beside it, or by its area in another process."""
    defects = {f"{path.stem}.{defect.name}": defect for path in AREAS for defect in _defects(path)}
    assert defects
    assert [name for name, defect in defects.items() if not ast.get_docstring(defect)] == []
    files = (path for path in sorted(TESTS.rglob("test_*.py")) if "node_modules" not in path.parts)
    texts = "\n".join(path.read_text("utf-8") for path in files)
    marks = set(re.findall(r"\w+", " ".join(re.findall(r"@planted\(([^)]*)", texts))))
    used = {name for name, defect in defects.items() if defect.name in marks or name in texts}
    assert sorted(defects.keys() - used) == [], "no test must catch it"


_FACTS = {"two and two": 4}


def _miscounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted defect."""
    monkeypatch.setitem(_FACTS, "two and two", 5)


@planted(_miscounts)
def test_a_defect_is_in_place_when_the_test_runs() -> None:
    """The second run of this test fails, and is reported as passed."""
    assert _FACTS["two and two"] == 4


LEAVES_A_SOCKET = """
import gc, socket
import pytest

from tests.planted import planted

def leaves(monkeypatch):
    \"\"\"A test fails between opening and closing.\"\"\"

@planted(leaves)
def test_a(request):
    opened = [socket.socket()]
    opened.append(opened)
    _ = [[] for _ in range(100_000)]
    if "planted" in request.node.name:
        raise AssertionError(opened)
    opened[0].close()

def test_b():
    gc.collect()
"""


def test_no_later_test_is_blamed_for_what_a_defect_left_open(tmp_path: Path) -> None:
    """A socket in a cycle that nobody closed, of a run that failed as it should and allocated much."""
    (tmp_path / "test_it.py").write_text(LEAVES_A_SOCKET)
    options = (
        "--disable-plugin-autoload",
        "-p",
        "tests.planted.plugin",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
    )
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", *options, "-c", os.devnull, str(tmp_path)),
        env=os.environ | {"PYTHONPATH": str(TESTS.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout
