"""Ends a process when its parent ends, even if the parent is killed."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # prctl(2)


def ending_with_parent(number: signal.Signals) -> Callable[[], None]:
    """A function that a forked child calls first, so that it gets signal *number* when this process ends.

    Call this before the fork.
    """
    return by_kernel(number) if sys.platform == "linux" else by_pipe(number)


def by_kernel(number: signal.Signals) -> Callable[[], None]:
    """`ending_with_parent` for Linux, with prctl(2).

    It survives exec and may be called between fork and exec.
    """
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # the parent ended between fork and prctl
            os._exit(1)

    return ask


def by_pipe(number: signal.Signals) -> Callable[[], None]:
    """`ending_with_parent` with a pipe whose writing end only this process keeps open.

    It does not survive exec.
    """
    reading, writing = os.pipe()

    def wait() -> None:
        os.read(reading, 1)
        os.kill(os.getpid(), number)

    def ask() -> None:
        os.close(writing)
        threading.Thread(target=wait, name="parent", daemon=True).start()

    return ask
