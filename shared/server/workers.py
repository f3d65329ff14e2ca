"""Several worker processes on one listening socket, and a parent that only supervises them.

The kernel gives each connection to the worker that accepts it. A worker that exits is replaced. SIGTERM and
SIGINT are passed to every worker, which finishes its requests; the parent exits after the last one, and
workers exit if the parent is killed. As PID 1 of a container, the parent also reaps orphaned processes.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import structlog

from shared.process.parent_death import ending_with_parent

MAX_WORKERS = 64
RESPAWN_PAUSE = 1.0  # seconds between two starts of a worker, so that its failures do not flood the log
_STOPPING = (signal.SIGINT, signal.SIGTERM)

logger = structlog.get_logger()

Work = Callable[[int], None]
"""The work of a worker, called with its index from 0; a replacement has the index of its predecessor."""


class Workers:
    """The workers of this process: children that run *work* until a signal stops them.

    At the signal, *on_stop* is called. Workers that are still running after *patience* seconds are killed.
    """

    def __init__(self, work: Work, *, on_stop: Callable[[], object], patience: float) -> None:
        self._work = work
        self._on_stop = on_stop
        self._patience = patience
        self._end_with_parent = ending_with_parent(signal.SIGINT)  # SIGINT stops a worker without drain
        self._places: dict[int, tuple[int, float]] = {}  # number and start time, by process id
        self._is_stopping = False

    def keep(self, count: int) -> None:
        """Start *count* workers and return when all have exited after a signal."""
        signal.signal(
            signal.SIGCHLD, signal.SIG_DFL
        )  # if SIGCHLD is ignored, the kernel reaps children and wait() fails
        signal.signal(signal.SIGALRM, self._kill)
        for number in _STOPPING:
            signal.signal(number, self._stop)
        for index in range(count):
            self._fill(index)
        while self._places:
            self._reap()

    def _stop(self, number: int, _: FrameType | None) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            signal.setitimer(signal.ITIMER_REAL, self._patience)
            self._on_stop()
        self._send(number)

    def _kill(self, _: int, __: FrameType | None) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        for pid in self._places:
            with suppress(ProcessLookupError):  # it has just been reaped
                os.kill(pid, number)

    def _reap(self) -> None:
        pid, status = os.wait()
        if (place := self._places.pop(pid, None)) is None:
            return
        index, started = place
        if not self._is_stopping:
            logger.error("worker_died", pid=pid, status=os.waitstatus_to_exitcode(status))
            time.sleep(max(0.0, started + RESPAWN_PAUSE - time.monotonic()))
            self._fill(index)

    def _fill(self, index: int) -> None:
        """Start a worker.

        Signals are blocked from the fork until the worker is recorded, so that none is missed.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        if not self._is_stopping:
            self._places[self._start(index)] = (index, time.monotonic())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    def _start(self, index: int) -> int:
        pid = os.fork()
        if pid:
            return pid
        status = 1
        try:
            for number in (*_STOPPING, signal.SIGALRM):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
            self._end_with_parent()
            self._work(index)
            status = 0
        except BaseException:
            logger.exception("worker_failed")
        finally:
            os._exit(status)
