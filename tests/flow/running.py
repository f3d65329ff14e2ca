"""Fixtures: Ostiary as `ostiary run` starts it, behind each proxy, and bare; once for a session."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.flow.door import TlsDoor
from tests.flow.op import Op, embedded
from tests.flow.processes import Processes, four_processes, running
from tests.flow.proxies import ProxyServer


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


@contextmanager
def _behind(processes: Processes, proxy: ProxyServer) -> Iterator[Op]:
    """The processes behind *proxy*, which stands for that of the issuer's port."""
    origin = processes.nginx.door.origin
    assert proxy.program
    proxy.write(processes.upstreams, host=urlsplit(origin).netloc)
    with running(proxy.command()):
        yield replace(processes.op, door=TlsDoor(origin, proxy.files.ca_file, proxy.port))


@pytest.fixture(scope="session")
def op_behind_nginx(processes: Processes) -> Iterator[Op]:
    """The same processes behind nginx."""
    with _behind(processes, processes.nginx) as op:
        yield op


@pytest.fixture(scope="session")
def op_behind_haproxy(processes: Processes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Op]:
    """The same processes behind HAProxy."""
    with _behind(processes, ProxyServer.new(tmp_path_factory.mktemp("haproxy"), "haproxy")) as op:
        yield op


@pytest.fixture(scope="session")
def op_behind_caddy(processes: Processes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Op]:
    """The same processes behind Caddy, as in production."""
    with _behind(processes, ProxyServer.new(tmp_path_factory.mktemp("caddy"), "caddy")) as op:
        yield op


@pytest.fixture
def behind_each(op_behind_nginx: Op, op_behind_haproxy: Op, op_behind_caddy: Op) -> Sequence[Op]:
    """The same processes behind each proxy, at once."""
    return op_behind_nginx, op_behind_haproxy, op_behind_caddy


@pytest.fixture(params=["run", "nginx", "haproxy", "caddy", "direct"])
def any_op(request: pytest.FixtureRequest) -> Op:
    """Ostiary, reached in each way; `run` is `ostiary run`, with its own Caddy."""
    match request.param:
        case "run":
            op: Op = request.getfixturevalue("op")
            return op
        case "direct":
            processes: Processes = request.getfixturevalue("processes")
            return replace(processes.op, door=processes.direct)
        case kind:
            behind: Op = request.getfixturevalue(f"op_behind_{kind}")
            return behind
