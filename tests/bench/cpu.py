"""The CPU time and the memory of process trees, from /proc, and who runs on which processor (Linux).

What is measured has one processor and everything else the others: a process that is pushed off its processor
at every request finds its caches filled with somebody else's, and what that costs is none of its own doing.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PROC = Path("/proc")
_PPID, _UTIME, _CSTIME = 1, 11, 14  # proc(5), counted from the field after the command's name


def _fields(stat: str) -> list[str]:
    return stat.rpartition(")")[2].split()  # the name may hold anything


def _stats() -> dict[int, list[str]]:
    stats = {}
    for folder in _PROC.iterdir():
        if folder.name.isdecimal():
            try:
                stats[int(folder.name)] = _fields((folder / "stat").read_text("utf-8", "replace"))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return stats


def cpu_seconds(roots: Iterable[int]) -> float:
    """What these processes and all below them have used, user and system, the ended and awaited ones too."""
    stats = _stats()
    children: dict[int, list[int]] = {}
    for pid, fields in stats.items():
        children.setdefault(int(fields[_PPID]), []).append(pid)
    ticks, waiting = 0, list(roots)
    while waiting:
        pid = waiting.pop()
        ticks += sum(int(value) for value in stats[pid][_UTIME : _CSTIME + 1])
        waiting.extend(children.get(pid, ()))
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """What of a process is in memory."""
    return int((_PROC / str(pid) / "statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def processors() -> Iterator[frozenset[int]]:
    """Keep this process, and what it starts, off one processor, and give that one; all where there is one."""
    everywhere = os.sched_getaffinity(0)
    measured, others = {min(everywhere)}, everywhere - {min(everywhere)}
    os.sched_setaffinity(0, others or everywhere)
    try:
        yield frozenset(measured)
    finally:
        os.sched_setaffinity(0, everywhere)


def pin(pid: int, where: Iterable[int]) -> None:
    """Let all threads of a process run on these processors alone."""
    for task in (_PROC / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(task.name), where)
