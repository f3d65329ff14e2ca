"""A child process: starts it, waits until it is ready, and stops it. A child never outlives its parent."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.process.operator_error import OperatorError
from shared.process.parent_death import by_kernel

START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.01
INSTALL = "`make run` and `pipx install 'ostiary[embedded]'` install it"  # said of an embedded server


class RunError(OperatorError):
    """`ostiary run` cannot continue. The message is one sentence with the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a child runs under if the parent is root and the child must not be."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Command:
    """The command of a child."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    is_ready: Callable[[int], Awaitable[bool]]  # given the child's process id
    cwd: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL  # sent to it when the parent dies
    account: Account | None = None
    passing: tuple[str, ...] = ()  # log messages of transient faults: the same start soon succeeds
    start_within: float = START_SECONDS


def dropped_to(account: Account | None) -> dict[str, Any]:
    """The arguments with which subprocess starts a child under *account*."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def dying_with_starter(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """A function to call before exec, so that Linux sends the child *orphan_signal* when its parent dies."""
    return by_kernel(orphan_signal) if sys.platform == "linux" else None


def guard(pid: int, orphan_signal: signal.Signals) -> "subprocess.Popen[bytes]":
    """A process that signals *pid* when this process has died, for kernels that cannot (macOS)."""
    script = f"cat; kill -{int(orphan_signal)} {pid}"
    return subprocess.Popen(
        ("/bin/sh", "-c", script),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@dataclass(slots=True)
class Child:
    """A command and its current process."""

    command: Command
    process: "subprocess.Popen[bytes] | None" = None
    _guard: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def is_running(self) -> bool:
        """Whether the process exists, ready or not."""
        return self.process is not None and self.process.poll() is None

    async def start(self) -> None:
        """Start the process and wait until it is ready. Raises RunError if it will not be."""
        deadline = time.monotonic() + self.command.start_within
        while not await self._is_started(deadline):
            pass  # a previous process is just exiting

    async def _is_started(self, deadline: float) -> bool:
        offset = self.command.log.stat().st_size if self.command.log.exists() else 0
        process = self._spawn()
        while process.poll() is None:
            if await self.command.is_ready(process.pid):
                return True
            if time.monotonic() > deadline:
                await self.stop()
                raise RunError(f"{self.command.name} did not become ready; its log: {self.command.log}")
            await asyncio.sleep(POLL_SECONDS)
        self._dismiss_guard()
        output = self._said(offset)
        if any(words in output for words in self.command.passing) and time.monotonic() < deadline:
            await asyncio.sleep(10 * POLL_SECONDS)
            return False
        raise RunError(f"{self.command.name} did not start: {reason_in(output)}; its log: {self.command.log}")

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = self.command
        with command.log.open("ab") as log:
            self.process = subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env=command.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C reaches only the parent, which stops all children in order
                preexec_fn=dying_with_starter(command.orphan_signal),  # noqa: PLW1509 - only prctl
                **dropped_to(command.account),
            )
        if sys.platform != "linux":
            self._guard = guard(self.process.pid, command.orphan_signal)
        return self.process

    async def stop(self) -> None:
        """Ask the process to exit, and kill it if it does not."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(self.command.stop_signal)
        deadline = time.monotonic() + STOP_SECONDS
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
            await asyncio.sleep(POLL_SECONDS)
        self._dismiss_guard()

    def _dismiss_guard(self) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.kill()  # before its pipe closes: the process id may soon be reused
            self._guard.wait()
            self._guard.stdin.close()
            self._guard = None

    def _said(self, offset: int) -> str:
        with self.command.log.open("rb") as log:
            log.seek(offset)
            return log.read(65536).decode(errors="replace")


def reason_in(output: str) -> str:
    """The line of a program's *output* that best explains why it exited."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "rror" in line]
    return (telling or lines or ["it ended at once"])[-1][:300]
