"""Planted defects: mistakes put into the code on purpose, which the tests must catch.

A defect is a function that patches the code so that a mistake of the past is back. `@planted(defect)` runs a
test twice: as it is, and with the defect in place. The second run must fail; if it passes, the suite fails,
so no test becomes ineffective unnoticed. Each module here has the defects of one area.
"""

from collections.abc import Callable
from typing import TypeVar

import pytest

Defect = Callable[[pytest.MonkeyPatch], None]

_Test = TypeVar("_Test", bound=Callable[..., object])


def planted(*defects: Defect) -> Callable[[_Test], _Test]:
    """Mark a test that must fail with each of *defects* in place."""

    def mark(test: _Test) -> _Test:
        # `with_args`: a mark with a single function as its argument would take that for the test.
        marked: _Test = pytest.mark.planted.with_args(*defects)(test)
        return marked

    return mark
