"""The pytest side of planted defects: the second run of a marked test, and its reversed verdict."""

import gc
import sys
import warnings
from collections.abc import Generator
from typing import cast

import pytest

from tests.planted import Defect

_FIXTURE = "_planted_defect"


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", "planted(*defects): the test must fail with each of these in place")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a marked test once as it is, and once with each defect."""
    marks = metafunc.definition.iter_markers("planted")
    defects = [defect for mark in marks for defect in mark.args]
    if defects:
        names = [f"planted:{defect.__name__}" for defect in defects]
        metafunc.parametrize(_FIXTURE, [None, *defects], ids=[pytest.HIDDEN_PARAM, *names], indirect=True)


@pytest.fixture(autouse=True)
def _planted_defect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the defect of this run in place, before any other fixture of the test."""
    if defect := cast("Defect | None", getattr(request, "param", None)):
        defect(monkeypatch)


def planted_defect(item: pytest.Item) -> Defect | None:
    """The defect of this run of a test."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get(_FIXTURE) if callspec else None


@pytest.fixture
def guard(request: pytest.FixtureRequest) -> float:
    """Seconds after which what a test waits for will not come. Too few do no harm with a defect in place."""
    return 1.0 if planted_defect(request.node) else 8.0


def _unread(_: object) -> str:
    """In place of a representation of the failure, which takes longer than many a test."""
    return "the test fails with a defect in place, as it must"


_LAST_FAILURE = ("last_exc", "last_type", "last_value", "last_traceback")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Keep all that a run with a defect creates in the youngest generation of the garbage collector."""
    if planted_defect(item):
        gc.disable()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Collect what the failure of a run with a defect left open, so that no later test is blamed for it.

    The youngest generation has all of it: a full collection would visit every object of the session.
    """
    try:
        return (yield)
    finally:
        if planted_defect(item):
            for name in _LAST_FAILURE:
                vars(sys).pop(name, None)
            with warnings.catch_warnings(action="ignore"):
                gc.collect(0)
            gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reverse the verdict of a run with a defect. What its failure leaves behind at teardown is ignored."""
    defect = planted_defect(item)
    if defect is None:
        return (yield)
    item.repr_failure = _unread  # type: ignore[method-assign,assignment] # of the call alone
    report = yield
    if call.when == "call" and report.passed:
        report.outcome = "failed"
        report.longrepr = f"the test passes with a defect in place: {defect.__name__}: {defect.__doc__}"
    elif report.failed and call.when in ("call", "teardown"):
        report.outcome = "passed"
        report.longrepr = None
    return report
