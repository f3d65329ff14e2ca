"""Tables in Markdown whose rows name the tests that cover them."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
ON_THE_RUNNING_SYSTEM = ("service", "contract", "flow", "security", "interop")

NamedTest = tuple[str, str]
"""A file below `tests/`, and a function of it."""


def rows(table: Path, row: re.Pattern[str]) -> tuple[re.Match[str], ...]:
    """The lines of a table that begin with a number. Raises ValueError: one of them is no *row*."""
    lines = [line for line in table.read_text("utf-8").splitlines() if re.match(r"\| *[A-Z]{0,2}[0-9]", line)]
    found = [row.fullmatch(line) for line in lines]
    for match, line in zip(found, lines, strict=True):
        if match is None:
            raise ValueError(line)
    return tuple(match for match in found if match)


def named_tests(cell: str) -> tuple[NamedTest, ...]:
    """The tests that a cell names: `folder/file: name, name; folder/file: name`, without `test_`."""
    files = (file.split(": ") for file in cell.split("; "))
    return tuple(
        (re.sub(r"/", "/test_", file) + ".py", f"test_{name}")
        for file, names in files
        for name in names.split(", ")
    )


@cache
def functions(file: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a file below `tests/`, by their names."""
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def is_there(test: NamedTest) -> bool:
    """Whether the test exists and tests the running system."""
    file, name = test
    return file.split("/")[0] in ON_THE_RUNNING_SYSTEM and name in functions(file)
