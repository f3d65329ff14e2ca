"""Many cases in one test."""

import pytest

from tests.each_case import check_each


def _is_even(_: str, number: int) -> None:
    assert number % 2 == 0


def test_each_failure_has_the_name_of_its_case() -> None:
    """All cases are checked, also after a failure."""
    with pytest.raises(ExceptionGroup, match="2 of 4 cases") as raised:
        check_each({"two": 2, "three": 3, "four": 4, "five": 5}, _is_even)
    notes = [failure.__notes__ for failure in raised.value.exceptions]
    assert notes == [["case: three"], ["case: five"]]


def test_no_cases_are_a_failure() -> None:
    """A table that lost its rows checks nothing."""
    check_each({"two": 2}, _is_even)
    with pytest.raises(AssertionError, match="no cases"):
        check_each({}, _is_even)
