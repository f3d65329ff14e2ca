"""The table of OpenID behaviour against the tests that it names, and that name it."""

import ast
from collections import defaultdict

from tests.points import statements
from tests.tables import ON_THE_RUNNING_SYSTEM, TESTS, NamedTest, functions, is_there

STATEMENTS = statements()
COUNT = 26
NAMED = {
    *(f"RI{number}" for number in range(1, 13)),
    *(f"CI{number}" for number in range(1, 17)),
    *("DR1", "DR2", "DR3"),
    *("PR1", "PR3", "PR5"),
    *(f"SU{number}" for number in range(1, 6)),
    "MC11",
}
"""Points of extensions, by the letters of their section."""


def _order(point: int | str) -> tuple[str, int]:
    text = str(point)
    return text.rstrip("0123456789"), int(text.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def _marks(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[tuple[int | str, ...]]:
    """The arguments of each `@pytest.mark.point(…)`."""
    calls = [decorator for decorator in function.decorator_list if isinstance(decorator, ast.Call)]
    return [
        tuple(ast.literal_eval(argument) for argument in call.args)
        for call in calls
        if ast.unparse(call.func) == "pytest.mark.point"
    ]


def _marked() -> dict[NamedTest, list[tuple[int | str, ...]]]:
    files = (file for folder in ON_THE_RUNNING_SYSTEM for file in (TESTS / folder).glob("test_*.py"))
    paths = [file.relative_to(TESTS).as_posix() for file in files]
    return {
        (path, name): marks
        for path in paths
        for name, function in functions(path).items()
        if (marks := _marks(function))
    }


def test_every_statement_is_shown() -> None:
    """Each row names at least one test, and all of them exist and test the running system."""
    assert [statement for statement in STATEMENTS if not statement.tests] == []
    named = {test for statement in STATEMENTS for test in statement.tests}
    assert [test for test in sorted(named) if not is_there(test)] == []


def test_no_point_is_missing_and_no_statement_stands_twice() -> None:
    """Every point has rows, in order."""
    points = [statement.point for statement in STATEMENTS]
    assert points == sorted(points, key=_order)
    assert set(points) == {*range(1, COUNT + 1)} | NAMED
    assert len({statement.text for statement in STATEMENTS}) == len(STATEMENTS)


def test_every_test_names_its_points() -> None:
    """A test names exactly the points whose rows name it, once and in order."""
    expected: dict[NamedTest, set[int | str]] = defaultdict(set)
    for statement in STATEMENTS:
        for test in statement.tests:
            expected[test].add(statement.point)
    assert _marked() == {test: [tuple(sorted(points, key=_order))] for test, points in expected.items()}
