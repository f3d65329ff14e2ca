"""A deployment for the fault tests of a module, and another one for each defect in its services."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.paths import Service
from tests.fault.topology import RunningTopology, topology

TWO_TOKEN_PROCESSES = {Service.TOKEN: 2}


@pytest_asyncio.fixture(scope="module")
async def deployment(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[RunningTopology]:
    """Processes over stores of their own: two token processes, or what the module says in REPLICAS."""
    replicas = getattr(request.module, "REPLICAS", TWO_TOKEN_PROCESSES)
    folder = tmp_path_factory.mktemp("topology")
    async with topology(folder, replicas, getattr(request, "param", None)) as running:
        yield running
