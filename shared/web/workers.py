"""Several processes on one listening socket: a parent that only watches them.

The kernel hands each connection to whichever worker accepts it. A worker that dies is replaced; SIGTERM and
SIGINT reach every worker, which finishes its requests, and the parent leaves when the last has left.
"""

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import structlog

MAX_WORKERS = 64
RESPAWN_PAUSE = 1.0  # seconds between two starts in one place: a worker that cannot start floods nothing
_STOPPING = (signal.SIGINT, signal.SIGTERM)

logger = structlog.get_logger()


def _start(work: Callable[[int], None], index: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        work(index)
        status = 0
    except BaseException:
        logger.exception("worker_failed")
    finally:
        os._exit(status)


def keep_workers(work: Callable[[int], None], count: int) -> None:
    """Run *work* in *count* children until a signal says stop; replace those that die before.

    *work* is given the number of its place, from 0: a replacement has the number of the one it replaces.
    """
    is_stopping = False
    places: dict[int, tuple[int, float]] = {}

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal is_stopping
        is_stopping = True
        for pid in places:
            os.kill(pid, number)

    def fill(index: int) -> None:
        """Signals wait while a child is between fork and being known, so that none is missed."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        if not is_stopping:
            places[_start(work, index)] = (index, time.monotonic())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    for number in _STOPPING:
        signal.signal(number, stop)
    for index in range(count):
        fill(index)
    while places:
        pid, status = os.wait()
        index, started = places.pop(pid)
        if not is_stopping:
            logger.error("worker_died", pid=pid, status=os.waitstatus_to_exitcode(status))
            time.sleep(max(0.0, started + RESPAWN_PAUSE - time.monotonic()))
            fill(index)
