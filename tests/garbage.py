"""Garbage collection in a test session: none while tests are collected, and never of what stays to its end.

Imported modules and collected tests are never garbage, but each full collection would visit their million
objects: a fifth of a second, hundreds of times.
"""

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Exclude every object that exists before the first test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_unconfigure() -> None:
    """Include them again: pytest looks for leaks at its end."""
    gc.unfreeze()
