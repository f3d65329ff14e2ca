"""What systemd hears of a process, over a datagram socket of the test's own."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from shared.config.settings import Settings
from shared.server.app import READINESS, application
from shared.server.notify import ALIVE, READY, STOPPING, ServiceManager
from shared.server.readiness import Readiness
from shared.server.serve import Listen, until_told_to_stop
from tests.planted import planted
from tests.planted.process import (
    listens_to_any_watchdog,
    tells_only_once_that_it_is_alive,
    tells_that_it_is_ready_at_once,
)

ME = frozenset({os.getpid(), os.getppid()})


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket like systemd's, and its address as systemd writes it."""
    name = f"ostiary-{os.getpid()}-{id(request)}"
    bound, told = (str(tmp_path / "n"),) * 2 if request.param == "path" else (f"\0{name}", f"@{name}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(bound)
        listening.setblocking(False)
        yield listening, told
    Path(tmp_path / "n").unlink(missing_ok=True)


async def _heard(listening: socket.socket) -> str:
    return (await asyncio.get_running_loop().sock_recv(listening, 64)).decode()


def _is_silent(listening: socket.socket) -> bool:
    try:
        listening.recv(64)
    except BlockingIOError:
        return True
    return False


@asynccontextmanager
async def _following(manager: ServiceManager, readiness: Readiness) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(manager.follow(readiness))
    await asyncio.sleep(0)
    try:
        yield task
    finally:
        task.cancel()


@planted(tells_that_it_is_ready_at_once)
async def test_it_is_told_when_the_process_is_ready(manager: tuple[socket.socket, str]) -> None:
    """Not before every check passes."""
    listening, address = manager
    faults: list[str | None] = ["no keys"]
    readiness = Readiness()
    readiness.add("keys", lambda: faults[0])
    async with _following(ServiceManager(address), readiness):
        assert _is_silent(listening)
        faults[0] = None
        assert await _heard(listening) == READY


@planted(tells_only_once_that_it_is_alive)
async def test_the_watchdog_hears_it_again_and_again(manager: tuple[socket.socket, str]) -> None:
    """After it is ready, twice in the watchdog's time."""
    listening, address = manager
    impatient = ServiceManager(address, timedelta(milliseconds=20))
    async with _following(impatient, Readiness()) as following, asyncio.timeout(10):
        for message in (READY, ALIVE, ALIVE, ALIVE):
            assert not following.done()
            assert await _heard(listening) == message


async def test_a_served_application_tells_its_beginning_and_its_end(
    manager: tuple[socket.socket, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """READY=1 once it serves; STOPPING=1 at SIGTERM, and nothing more."""
    listening, address = manager
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    app = application(Settings())
    app[READINESS].add("keys", lambda: None)
    serving = until_told_to_stop(app, Listen("127.0.0.1:0").bind(), timedelta(0))
    task = asyncio.create_task(serving)
    assert await _heard(listening) == READY
    os.kill(os.getpid(), signal.SIGTERM)
    assert await _heard(listening) == STOPPING
    await task
    assert _is_silent(listening)


@planted(listens_to_any_watchdog)
def test_only_the_watchdog_of_this_process_is_answered() -> None:
    """Its own and that of the parent of workers; another process's is left to that process."""
    for pid in ME:
        environment = {"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(pid)}
        assert ServiceManager.of(environment, ME) == ServiceManager("/n", timedelta(seconds=30))
    stranger = {"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1000000000"}
    assert ServiceManager.of(stranger, ME) == ServiceManager("/n")


@pytest.mark.parametrize(
    ("environment", "watchdog"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "5000000"}, timedelta(seconds=5)),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "me"}, None),
    ],
)
def test_a_watchdog_that_says_nothing_is_none(
    environment: dict[str, str], watchdog: timedelta | None
) -> None:
    """Without numbers that can be read nobody waits for this process."""
    assert ServiceManager.of(environment, ME).watchdog == watchdog


def test_a_manager_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    """Nor does the lack of one."""
    ServiceManager(str(tmp_path / "gone")).tell(READY)
    ServiceManager().tell(READY)
