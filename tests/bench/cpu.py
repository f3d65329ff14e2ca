"""CPU time and memory of process trees, from /proc, and processor affinity (Linux).

The measured processes have one processor and everything else has the others. Otherwise a process that loses
its processor at every request would find its caches overwritten by other processes.
"""

import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


def _tree(stats: Mapping[int, Sequence[str]], roots: Iterable[int]) -> Iterator[int]:
    """These processes and their descendants."""
    children: dict[int, list[int]] = {}
    for pid, fields in stats.items():
        children.setdefault(int(fields[_PPID]), []).append(pid)
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting.extend(children.get(pid, ()))


def cpu_seconds(roots: Iterable[int]) -> float:
    """The user and system time of these processes and their descendants, including those that have exited."""
    stats = _stats()
    ticks = sum(int(value) for pid in _tree(stats, roots) for value in stats[pid][_UTIME : _CSTIME + 1])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """The resident memory of a process."""
    return int((_PROC / str(pid) / "statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def machine() -> str:
    """The kind of this machine: its processor, and how many of them."""
    information = (_PROC / "cpuinfo").read_text("utf-8")
    models = [
        line.partition(":")[2].strip() for line in information.splitlines() if line.startswith("model name")
    ]
    return f"{os.cpu_count()} × {models[0] if models else platform.machine()}"


@contextmanager
def processors() -> Iterator[frozenset[int]]:
    """Keep this process and its children off one processor, and return that one, or the only one."""
    everywhere = os.sched_getaffinity(0)
    measured, others = {min(everywhere)}, everywhere - {min(everywhere)}
    os.sched_setaffinity(0, others or everywhere)
    try:
        yield frozenset(measured)
    finally:
        os.sched_setaffinity(0, everywhere)


def pin(pid: int, where: Iterable[int]) -> None:
    """Restrict all threads of a process and of its descendants to these processors."""
    for each in _tree(_stats(), (pid,)):
        for task in (_PROC / str(each) / "task").iterdir():
            os.sched_setaffinity(int(task.name), where)
