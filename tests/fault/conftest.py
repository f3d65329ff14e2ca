"""A deployment for each fault test, which may have defects planted in its services."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fault.topology import RunningTopology, topology


@pytest.fixture
async def deployment(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[RunningTopology]:
    """Two token processes over stores of their own."""
    async with topology(tmp_path, planted=getattr(request, "param", None)) as running:
        yield running
