"""The table of attacks against the tests that it names."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.security.cases import Case, cases

TESTS = Path(__file__).parents[1]
CASES = cases()


@cache
def _names(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(function.name for function in functions)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.number))
def test_every_attack_is_made(case: Case) -> None:
    """Each row names at least one test, and each of them is there, beyond the pure ones."""
    assert case.tests
    for file, name in case.tests:
        assert file.split("/")[0] in ("service", "contract", "flow", "security", "interop"), file
        assert name in _names(file), f"{file}::{name}"


def test_no_attack_stands_twice() -> None:
    """A number and a title are one attack's, and the rows are in order."""
    numbers = [case.number for case in CASES]
    assert numbers == sorted(set(numbers))
    assert len({case.title for case in CASES}) == len(CASES)


def test_every_test_of_this_folder_is_in_the_table() -> None:
    """What is made here is an attack of the table."""
    named = {test for case in CASES for test in case.tests}
    for file in sorted((TESTS / "security").glob("test_*.py")):
        path = f"security/{file.name}"
        for name in _names(path):
            assert not name.startswith("test_") or (path, name) in named, name
