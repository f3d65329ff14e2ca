"""Workers and their parent: neither outlives the other, and foreign processes are ignored."""

import ctypes
import multiprocessing
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from shared.process.parent_death import by_pipe
from shared.server import workers
from tests.planted import planted
from tests.planted.process import knows_all_its_children, workers_outlive_their_parent

_PR_SET_CHILD_SUBREAPER = 36
_SAYING = 99  # the descriptor on which workers print
_FORK = multiprocessing.get_context("fork")


def _adopt_orphans() -> None:
    """As PID 1 of a container does."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _leave_an_orphan() -> int:
    """The process id of an adopted process that has ended and was not reaped."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        if orphan := os.fork():
            os.write(writing, str(orphan).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return int(os.read(reading, 20))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class WorkerProcesses:
    """A parent and workers that share the write end of a pipe, whose end shows that all have exited."""

    def __init__(self, process: "multiprocessing.process.BaseProcess", reading: int) -> None:
        self.process = process
        self.reading = reading

    def said(self) -> str:
        """The next output of a worker; empty when all processes have exited."""
        return os.read(self.reading, 1).decode()

    def signal(self, number: int) -> None:
        """Signal the parent."""
        assert self.process.pid
        os.kill(self.process.pid, number)


@contextmanager
def _family(work: Callable[[int], None], count: int = 1, patience: float = 50) -> Iterator[WorkerProcesses]:
    """*work* may print single letters by `_say`."""
    reading, writing = os.pipe()

    def parent() -> None:
        os.setpgid(0, 0)
        os.close(reading)
        os.dup2(writing, _SAYING)
        os.close(writing)
        _adopt_orphans()
        workers.Workers(work, on_stop=lambda: None, patience=patience).keep(count)

    process = _FORK.Process(target=parent)
    process.start()
    os.close(writing)
    try:
        yield WorkerProcesses(process, reading)
    finally:
        assert process.pid
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        os.close(reading)


def _say(letter: str) -> None:
    os.write(_SAYING, letter.encode())


def _until_stopped(_: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    _say("s")
    signal.pause()


def test_a_parent_ends_after_its_workers() -> None:
    """SIGTERM reaches the workers, and the parent exits after them."""
    with _family(_until_stopped, count=2) as family:
        assert family.said() + family.said() == "ss"
        family.signal(signal.SIGTERM)
        assert family.said() == ""
        family.process.join()
        assert family.process.exitcode == 0


@planted(knows_all_its_children)
def test_an_orphan_is_reaped_and_no_worker() -> None:
    """PID 1 of a container inherits processes that it has not started."""

    def work(index: int) -> None:
        orphan = _leave_an_orphan()
        while _exists(orphan):
            time.sleep(0.01)
        _until_stopped(index)

    with _family(work) as family:
        assert family.said() == "s"
        family.signal(signal.SIGTERM)
        assert family.said() == ""
        family.process.join()
        assert family.process.exitcode == 0


@planted(workers_outlive_their_parent)
def test_workers_end_with_a_parent_that_is_killed(guard: float) -> None:
    """Workers exit if their parent is killed with SIGKILL."""
    with _family(_until_stopped, count=2) as family:
        assert family.said() + family.said() == "ss"
        family.signal(signal.SIGKILL)
        assert select.select([family.reading], [], [], guard)[0]
        assert family.said() == ""


def test_a_pipe_tells_the_end_of_the_parent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS has no PR_SET_PDEATHSIG."""
    monkeypatch.setattr(workers, "ending_with_parent", by_pipe)
    with _family(_until_stopped, count=2) as family:
        assert family.said() + family.said() == "ss"
        family.signal(signal.SIGKILL)
        assert family.said() == ""


def test_a_worker_that_does_not_end_is_killed() -> None:
    """The parent kills a worker that hangs after its time."""

    def hang(_: int) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _say("h")
        while True:
            signal.pause()

    with _family(hang, patience=0.1) as family:
        assert family.said() == "h"
        family.signal(signal.SIGTERM)
        assert family.said() == ""
        family.process.join()
        assert family.process.exitcode == 0
