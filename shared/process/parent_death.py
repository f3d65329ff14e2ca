"""Ending a process together with its parent, even when the parent is killed and can tell nobody."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # prctl(2)


def ending_with_parent(number: signal.Signals) -> Callable[[], None]:
    """What a forked child calls first so that it gets *number* when this process ends.

    To be called before the fork.
    """
    return by_kernel(number) if sys.platform == "linux" else by_pipe(number)


def by_kernel(number: signal.Signals) -> Callable[[], None]:
    """The same by Linux' prctl(2). It holds across exec, and may be called between fork and exec."""
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return ask


def by_pipe(number: signal.Signals) -> Callable[[], None]:
    """The same by a pipe whose writing end only this process keeps open. It does not hold across exec."""
    reading, writing = os.pipe()

    def wait() -> None:
        os.read(reading, 1)
        os.kill(os.getpid(), number)

    def ask() -> None:
        os.close(writing)
        threading.Thread(target=wait, name="parent", daemon=True).start()

    return ask
