"""The size of volume tests: `--flows 100000`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option. Its default is small, for CI."""
    parser.addoption("--flows", type=int, default=100, metavar="N", help="flows of the test of growth")


@pytest.fixture
def flows(pytestconfig: pytest.Config) -> int:
    """The number of flows."""
    return int(pytestconfig.getoption("--flows"))
