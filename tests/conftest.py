"""The fixtures of every test, and the rule that no test is skipped unnoticed."""

from collections.abc import Generator

import pytest

from tests.tools import LACKING, is_strict

pytest_plugins = (
    "tests.points",
    "tests.longest_first",
    "tests.garbage",
    "tests.plain_log",
    "tests.planted.plugin",
    "tests.unhurried",
    "tests.inexpensive",
    "tests.servers",
    "tests.redis_layouts",
    "tests.deployment",
    "tests.authorization",
    "tests.front_channel",
    "tests.chromium",
    "tests.flow.running",
    "tests.flow.command_line",
    "tests.registry",
    "tests.administration",
    "tests.client_documents",
    "tests.manual_time",
    "tests.volume",
)


def _is_allowed(report: pytest.TestReport | pytest.CollectReport) -> bool:
    if not report.skipped or hasattr(report, "wasxfail") or not is_strict():
        return True
    return isinstance(report.longrepr, tuple) and LACKING in report.longrepr[2]


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.outcome = "failed"
    report.longrepr = f"skipped where nothing may be: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """If CI or OSTIARY_REQUIRE is set, a skip fails unless its reason is a missing tool."""
    report = yield
    if not _is_allowed(report):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself."""
    report = yield
    if not _is_allowed(report):
        _fail(report)
    return report
