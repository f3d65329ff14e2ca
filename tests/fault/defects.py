"""Defects in the services of a deployment: a fault test must fail with each of them."""

from typing import Any

import pytest


def caught(*defects: str) -> pytest.MarkDecorator:
    """Run a test as it is, and once more with each of *defects* in place.

    A defect is what `python -m tests.planted` takes. All tests of a module with the same defect share a
    deployment, and so do all that run as they are. The test asserts in `RunningTopology.verdict`.
    """
    ids: list[Any] = [pytest.HIDDEN_PARAM, *(f"planted:{defect.rpartition('.')[2]}" for defect in defects)]
    return pytest.mark.parametrize("deployment", [None, *defects], ids=ids, indirect=True)
