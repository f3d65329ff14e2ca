"""Fixtures: Ostiary as `ostiary run` starts it, behind nginx, and as bare processes; once for a session."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.flow.op import Op, embedded
from tests.flow.processes import Processes, four_processes, running
from tests.tools import needs


@pytest.fixture(scope="session")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Op]:
    """`ostiary run` over https, behind Caddy with its local CA."""
    with embedded(tmp_path_factory.mktemp("embedded")) as op:
        yield op


@pytest.fixture(scope="session")
def every_type(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Op]:
    """The same with `OSTIARY_RESPONSE_TYPES=all`."""
    with embedded(tmp_path_factory.mktemp("every-type"), OSTIARY_RESPONSE_TYPES="all") as op:
        yield op


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Four processes and a second `token`, without a proxy."""
    with four_processes(tmp_path_factory.mktemp("processes")) as processes:
        yield processes


@pytest.fixture(scope="session")
def op_behind_nginx(processes: Processes) -> Iterator[Op]:
    """The same processes behind nginx."""
    program = needs("nginx")
    upstreams = {
        service: [f"unix:{path}" for path in paths] for service, paths in processes.direct.sockets.items()
    }
    processes.nginx.write(upstreams)
    with running(processes.nginx.command(program)):
        yield processes.op


@pytest.fixture(params=["caddy", "nginx", "direct"])
def any_op(request: pytest.FixtureRequest) -> Op:
    """Ostiary, reached in each way."""
    match request.param:
        case "caddy":
            caddy: Op = request.getfixturevalue("op")
            return caddy
        case "nginx":
            nginx: Op = request.getfixturevalue("op_behind_nginx")
            return nginx
        case _:
            processes: Processes = request.getfixturevalue("processes")
            return replace(processes.op, door=processes.direct)
