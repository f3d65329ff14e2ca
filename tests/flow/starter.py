"""Runs `ostiary run` like a user: starts it, reads its output, finds its processes, and stops it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
HANG_GUARD = 300.0  # seconds; a busy machine takes minutes
READY = "Ctrl-C stops everything"

Found = TypeVar("Found")


def eventually(look: Callable[[], Found | None], what: str) -> Found:
    """The first result of *look* that is true."""
    deadline = time.monotonic() + HANG_GUARD
    while (found := look()) is None or found is False:
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)
    return found


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return cast(int, server.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Process:
    """A line of ps."""

    pid: int
    parent: int
    args: str


def processes() -> list[Process]:
    """The processes of this machine, without zombies."""
    done = subprocess.run(
        ("ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="), capture_output=True, check=True
    )
    lines = (line.split(maxsplit=3) for line in done.stdout.decode(errors="replace").splitlines())
    return [
        Process(int(pid), int(parent), args)
        for pid, parent, stat, args in (line for line in lines if len(line) == 4)
        if not stat.startswith("Z")
    ]


def descendants(pid: int) -> set[int]:
    """The processes below *pid*."""
    everything = processes()
    found, seen = set[int](), {pid}
    while below := {process.pid for process in everything if process.parent in seen} - found:
        found |= below
        seen = below
    return found


def alive(pids: set[int]) -> set[int]:
    """Those of *pids* that still run."""
    return pids & {process.pid for process in processes()}


@dataclass(frozen=True, slots=True)
class Starter:
    """A running `ostiary run`."""

    process: "subprocess.Popen[bytes]"
    issuer: str
    data: Path
    output: Path

    @property
    def said(self) -> str:
        """The output so far."""
        return self.output.read_text("utf-8", errors="replace")

    def wait_until_ready(self) -> None:
        def is_ready() -> bool:
            assert self.process.poll() is None, self.said
            return READY in self.said

        eventually(is_ready, "ready")

    def child(self, words: str) -> Process | None:
        """The child whose command line contains *words*."""
        mine = (process for process in processes() if process.parent == self.process.pid)
        return next((process for process in mine if words in process.args), None)

    def sockets(self) -> Path:
        """The folder of the run's sockets."""
        token = self.child("serve token")
        assert token
        match = re.search(r"unix:(\S+)/token\.sock", token.args)
        assert match
        return Path(match[1])

    def get(self, path: str) -> tuple[int, bytes] | None:
        """Status and body of a GET through the proxy; None when nobody answers."""
        url = urlsplit(self.issuer)
        connection = HTTPConnection(cast(str, url.hostname), url.port, timeout=HANG_GUARD)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def discovers(self) -> bool:
        """Whether the provider metadata come through the proxy."""
        answer = self.get("/oidc/.well-known/openid-configuration")
        return answer is not None and answer[0] == 200 and json.loads(answer[1])["issuer"] == self.issuer

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Sends a signal and returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(HANG_GUARD)


def environment(data: Path, port: int, **settings: str) -> dict[str, str]:
    """The environment of a fresh shell, with this run's settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OSTIARY_", "PYTHON"))}
    own = {"OSTIARY_ISSUER": f"http://localhost:{port}/oidc", "OSTIARY_DATA_DIR": str(data)}
    return clean | own | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | settings


def run_to_its_end(data: Path, port: int, **settings: str) -> "subprocess.CompletedProcess[str]":
    """The result of an `ostiary run` that cannot start."""
    return subprocess.run(
        (sys.executable, "-P", "-m", "services.cli", "run"),
        env=environment(data, port, **settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG_GUARD,
    )


@contextmanager
def launched(data: Path, output: Path, port: int | None = None, **settings: str) -> Iterator[Starter]:
    """`ostiary run`, perhaps not ready yet; stopped at the end."""
    port = port or free_port()
    with output.open("wb") as out:
        process = subprocess.Popen(
            (sys.executable, "-P", "-m", "services.cli", "run"),
            env=environment(data, port, **settings),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    starter = Starter(process, f"http://localhost:{port}/oidc", data, output)
    try:
        yield starter
    finally:
        starter.stop()


@contextmanager
def started(data: Path, output: Path, port: int | None = None, **settings: str) -> Iterator[Starter]:
    """`ostiary run`, ready; stopped at the end."""
    with launched(data, output, port, **settings) as starter:
        starter.wait_until_ready()
        yield starter
