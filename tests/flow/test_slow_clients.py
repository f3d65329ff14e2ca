"""Slow clients are disconnected, without an effect on others."""

import os
import resource
import signal
import socket
import ssl
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest

from shared.paths import OPENID_CONFIGURATION, REGISTRATION, TOKEN, Path, Service
from tests.flow.door import HANG_GUARD, send
from tests.flow.op import Op
from tests.flow.processes import Processes

IDLE = 500
TARGETS = (TOKEN, REGISTRATION)
DRIP = 0.5  # seconds between two bytes: faster than any limit of a single pause
BODY = 60_000  # bytes promised: at that pace, hours


@pytest.fixture(scope="module")
def ops(
    op: Op, op_behind_nginx: Op, op_behind_haproxy: Op, op_behind_caddy: Op, processes: Processes
) -> Sequence[Op]:
    """Ostiary by each of its doors, at once."""
    direct = replace(processes.op, door=processes.direct)
    return op, op_behind_nginx, op_behind_haproxy, op_behind_caddy, direct


@pytest.fixture
def _many_files() -> Iterator[None]:
    """Raise the limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _is_over(connection: socket.socket) -> bool:
    """Whether the connection got a refusal or was closed."""
    connection.setblocking(False)
    try:
        received = connection.recv(65536)
    except (BlockingIOError, ssl.SSLWantReadError):  # nothing, or no more than a session ticket
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(HANG_GUARD)
    assert not received.startswith(b"HTTP/1.1 2")
    assert b" 50" not in received.partition(b"\r\n")[0]
    return True


def _serves(ops: Sequence[Op]) -> None:
    for each in ops:
        assert send(each.door, "GET", str(OPENID_CONFIGURATION)).status == 200
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert send(each.door, "POST", str(TOKEN), form, b"grant_type=x").status == 401


@pytest.fixture(scope="module")
def waiting(ops: Sequence[Op]) -> Mapping[Path, int]:
    """The number of connections on which each target would wait for ever for a body, byte by byte."""
    with ExitStack() as stack:
        slow = {
            stack.enter_context(each.door.open(str(target))): target for each in ops for target in TARGETS
        }
        for connection, target in slow.items():
            head = (
                f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY}\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
            )
            connection.sendall(head.encode())
        _serves(ops)
        deadline, left = time.monotonic() + HANG_GUARD, set(slow)
        while left and time.monotonic() < deadline:
            left = {connection for connection in left if not _is_over(connection)}
            for connection in left:
                with suppress(OSError):  # the next look finds it closed
                    connection.sendall(b"a")
            time.sleep(DRIP)
        _serves(ops)
        return Counter(slow[connection] for connection in left)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_a_body_that_drips_is_not_waited_for(waiting: Mapping[Path, int], target: Path) -> None:
    """A body has a deadline, however regularly its bytes arrive."""
    assert waiting.get(target, 0) == 0, "somebody still waits for the body"


@pytest.mark.usefixtures("_many_files")
def test_a_crowd_that_says_nothing_keeps_nobody_waiting(ops: Sequence[Op], op_behind_haproxy: Op) -> None:
    """Hundreds of idle connections and of incomplete requests do not delay others.

    HAProxy is left out: it refuses an address's connections beyond 200, and a test has one address.
    """
    ops = [each for each in ops if each is not op_behind_haproxy]
    with ExitStack() as stack:
        for each in ops:
            for number in range(IDLE):
                connection = stack.enter_context(each.door.open(str(TOKEN)))
                if number % 2:
                    connection.sendall(f"POST {TOKEN} HTTP/1.1\r\nHost: loc".encode())
        _serves(ops)


@pytest.mark.usefixtures("_many_files")
def test_a_crowd_that_comes_at_once_is_let_in(processes: Processes) -> None:
    """Many simultaneous connections are accepted; otherwise a proxy answers 502."""
    replicas = [child.process for service, child in processes.children if service is Service.TOKEN]
    with ExitStack() as stack:
        for each in replicas:
            assert each is not None
            os.kill(each.pid, signal.SIGSTOP)
            stack.callback(os.kill, each.pid, signal.SIGCONT)
        for _ in range(IDLE * len(replicas)):
            stack.enter_context(processes.direct.open(str(TOKEN)))
