"""Many cases in one test, for checks that take less time than a test of their own.

Every worker collects every test, at a millisecond each.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

_Case = TypeVar("_Case")


def check_each(cases: Mapping[str, _Case], check: Callable[[str, _Case], None]) -> None:
    """Make a check of every case. Raises ExceptionGroup: of the failures, each with the name of its case."""
    assert cases, "there are no cases"
    failures: list[Exception] = []
    for name, case in cases.items():
        try:
            check(name, case)
        except Exception as failure:
            failure.add_note(f"case: {name}")
            failures.append(failure)
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {len(cases)} cases", failures)
