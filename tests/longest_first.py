"""The files that take longest begin first, so that no worker is left with one when the others have finished.

The order of all others stays random.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = (
    "tests/flow/test_run.py",
    "tests/fault/test_postgresql.py",
    "tests/flow/test_pages_browser.py",
    "tests/fault/test_processes.py",
    "tests/contract/test_negative_facts.py",
    "tests/flow/test_http_layer.py",
    "tests/flow/test_operator_guide.py",
    "tests/flow/test_readme.py",
    "tests/packaging/test_wheel.py",
    "tests/flow/test_rolling_restart.py",
    "tests/flow/test_content_types.py",
    "tests/flow/test_logout_browser.py",
    "tests/fault/test_ends.py",
    "tests/fault/test_services.py",
    "tests/fault/test_workers.py",
    "tests/fault/test_redis.py",
    "tests/contract/test_database_faults.py",
    "tests/interop/test_logout.py",
    "tests/contract/test_redis_sentinel.py",
    "tests/service/test_refusals.py",
    "tests/service/test_repeated_redemption.py",
    "tests/flow/test_client_check.py",
    "tests/flow/test_slow_clients.py",
    "tests/service/test_device.py",
)

_Test = TypeVar("_Test")

_RANKS = {ROOT / name: rank for rank, name in enumerate(LONGEST)}


def longest_first(tests: Iterable[_Test], file_of: Callable[[_Test], Path]) -> list[_Test]:
    """Those of LONGEST in its order, then the others as they come."""
    return sorted(tests, key=lambda test: _RANKS.get(file_of(test), len(LONGEST)))


@pytest.hookimpl(trylast=True)  # after pytest-randomly
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move their tests to the front."""
    items[:] = longest_first(items, lambda item: item.path)
