"""How much a test of volume does: `--flows 100000`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Few in CI; what a deployment sees when somebody asks for it."""
    parser.addoption("--flows", type=int, default=100, metavar="N", help="flows of the test of growth")


@pytest.fixture
def flows(pytestconfig: pytest.Config) -> int:
    """How many."""
    return int(pytestconfig.getoption("--flows"))
