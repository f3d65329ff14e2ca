"""The table of attacks against the tests that it names."""

from tests.security.cases import cases
from tests.tables import TESTS, functions, is_there

CASES = cases()


def test_every_attack_is_made() -> None:
    """Each row names at least one test, and all of them exist and test the running system."""
    assert [case for case in CASES if not case.tests] == []
    named = {test for case in CASES for test in case.tests}
    assert [test for test in sorted(named) if not is_there(test)] == []


def test_no_attack_stands_twice() -> None:
    """Numbers and titles are unique, and the rows are in order."""
    numbers = [case.number for case in CASES]
    assert numbers == sorted(set(numbers))
    assert len({case.title for case in CASES}) == len(CASES)


def test_every_test_of_this_folder_is_in_the_table() -> None:
    """Every test of attacks is in the table."""
    named = {test for case in CASES for test in case.tests}
    for file in sorted((TESTS / "security").glob("test_*.py")):
        path = f"security/{file.name}"
        for name in functions(path):
            assert not name.startswith("test_") or (path, name) in named, name
