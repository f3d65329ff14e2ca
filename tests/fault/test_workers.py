"""Processes whose log takes nothing, and workers and their parent."""

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from shared.paths import INTROSPECTION, Service
from tests.fault.checker import violations
from tests.fault.defects import caught
from tests.fault.history import Done
from tests.fault.topology import Replica, RunningTopology, started

REPLICAS: dict[Service, int] = {}  # each test starts its own
DEFECTS = ",".join(
    (
        "process.raises_when_it_cannot_write",
        "process.knows_all_its_children",
        "process.workers_outlive_their_parent",
    )
)

PIPE = 4096  # bytes, the smallest that Linux allows
REQUESTS = 400  # their lines are more than that and the buffer hold


@contextmanager
def _pipe(folder: Path) -> Iterator[tuple[Path, int]]:
    """A named pipe, and its reader's end."""
    path = folder / f"log-{len(list(folder.iterdir()))}"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE)
    try:
        yield path, reader
    finally:
        with suppress(OSError):
            os.close(reader)


async def _answers_all(deployment: RunningTopology, log: Path, gone: int | None = None) -> None:
    """Start a process with this log, and expect it to answer. *gone*: a reader's end to close before."""
    load = await deployment.load(seed=30)
    async with deployment.process(Service.TOKEN, log=log) as replica, started(replica.child):
        if gone is not None:
            os.close(gone)
        for _ in range(REQUESTS):
            outcome = await load.once("log", "none", INTROSPECTION.path, {"token": "none"}, replica.http)
            assert isinstance(outcome, Done)
        assert replica.child.is_running
    assert violations(load.history) == []


@caught(DEFECTS)
@pytest.mark.parametrize("fault", ["full disk", "reader gone", "reader stopped"])
async def test_a_log_that_takes_nothing_ends_no_process(deployment: RunningTopology, fault: str) -> None:
    """Every request is answered, and the process lives on."""
    with deployment.verdict(), _pipe(deployment.folder) as (path, reader):
        match fault:
            case "full disk":
                await _answers_all(deployment, Path("/dev/full"))
            case "reader gone":
                await _answers_all(deployment, path, reader)
            case _:
                await _answers_all(deployment, path)


ADOPTING = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, which exec keeps
if not (child := os.fork()):
    if not os.fork():
        os.execvp("sleep", ["sleep", "1"])
    os._exit(0)
os.waitpid(child, 0)
os.execv(sys.argv[1], sys.argv[1:])"""


def _children(replica: Replica) -> set[int]:
    assert replica.child.process
    parent = replica.child.process.pid
    return {int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()}


def _is_worker(pid: int) -> bool:
    try:
        return b"token" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


async def _workers(deployment: RunningTopology, replica: Replica, but: int | None = None) -> set[int]:
    """The processes of both workers and nothing else, when *but* is not one of them any more."""
    async with asyncio.timeout(deployment.guard):
        while len(pids := _children(replica)) != 2 or but in pids or not all(map(_is_worker, pids)):
            assert replica.child.is_running
            await asyncio.sleep(0.02)
    return pids


@asynccontextmanager
async def _adopting_parent(deployment: RunningTopology) -> AsyncIterator[Replica]:
    """A parent of two workers that adopts orphans, as PID 1 of a container does; with one to begin with."""
    async with deployment.process(Service.TOKEN, "--workers", "2") as replica:
        start = replica.child.command
        replica.child.command = replace(start, argv=(sys.executable, "-c", ADOPTING, *start.argv))
        async with started(replica.child):
            yield replica


@caught(DEFECTS)
async def test_a_parent_that_adopts_orphans_keeps_its_workers(deployment: RunningTopology) -> None:
    """It outlives the orphan, and replaces a worker that was killed."""
    with deployment.verdict():
        async with _adopting_parent(deployment) as replica:
            first = next(iter(await _workers(deployment, replica)))
            os.kill(first, signal.SIGKILL)
            await _workers(deployment, replica, but=first)
            assert await replica.readiness() == 200


@caught(DEFECTS)
async def test_workers_end_with_their_parent(deployment: RunningTopology) -> None:
    """After the parent was killed, nobody holds the address."""
    with deployment.verdict():
        async with deployment.process(Service.TOKEN, "--workers", "2") as replica, started(replica.child):
            workers = await _workers(deployment, replica)
            replica.send(signal.SIGKILL)
            try:
                async with asyncio.timeout(deployment.guard):
                    while any(map(_is_worker, workers)):
                        await asyncio.sleep(0.02)
            finally:
                for pid in filter(_is_worker, workers):
                    os.kill(pid, signal.SIGKILL)
