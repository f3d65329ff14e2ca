"""One deployment for the fault tests of a module: each test heals what it breaks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fault.topology import Topology, topology


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Topology]:
    """Two token processes over stores of their own."""
    async with topology(tmp_path) as running:
        yield running
