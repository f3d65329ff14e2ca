"""Log output never blocks or raises, whatever happens to standard error, and counts lost lines."""

import asyncio
import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from shared.server.log import output as log_output
from shared.server.log.output import MAX_WAITING, RETRY_DELAY, LogOutput
from tests.planted import planted
from tests.planted.process import forgets_the_rest, raises_when_it_cannot_write, waits_for_the_reader

LINE = b'{"event":"test"}\n'


class Disk:
    """Takes as many bytes as it has room for, then reports ENOSPC."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.content = b""

    def write(self, data: memoryview) -> int:
        taken = bytes(data[: self.room])
        if not taken:
            raise OSError("no space left on device")
        self.content += taken
        self.room -= len(taken)
        return len(taken)


def _events(content: bytes) -> list[str]:
    return [orjson.loads(line)["event"] for line in content.splitlines()]


def _read_all(descriptor: int) -> bytes:
    os.set_blocking(descriptor, False)
    content = b""
    while True:
        try:
            content += os.read(descriptor, 65536)
        except BlockingIOError:
            return content


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Reading and writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


@planted(raises_when_it_cannot_write, forgets_the_rest)
def test_a_full_disk_costs_only_its_lines() -> None:
    """A line that was cut off is completed first, then the number of dropped lines, then what follows."""
    disk = Disk(room=len(LINE) + 5)
    output = LogOutput(disk.write)
    output.write(LINE * 4)
    disk.room = 10_000
    output.write(LINE)
    assert _events(disk.content) == ["test", "test", "log_lines_dropped", "test"]
    assert orjson.loads(disk.content.splitlines()[2])["count"] == 2


@planted(raises_when_it_cannot_write)
def test_a_broken_pipe_is_survived() -> None:
    """A closed reader loses lines, but stops nothing."""
    reading, writing = os.pipe()
    output = LogOutput(log_output.writer(writing))
    os.close(reading)
    for _ in range(3):
        output.write(LINE)
    os.close(writing)


@planted(waits_for_the_reader)
@pytest.mark.timeout(20)
def test_a_reader_that_stops_blocks_nobody(pipe: tuple[int, int]) -> None:
    """A bounded number of lines waits; a reader that resumes gets whole lines and the number of the lost."""
    reading, writing = pipe
    output = LogOutput(log_output.writer(writing))
    written = 20 * MAX_WAITING // len(LINE)
    for _ in range(written):
        output.write(LINE)
    content = _read_all(reading)
    output.write(LINE)
    content += _read_all(reading)
    while b"log_lines_dropped" not in content:
        output.write(b"")
        content += _read_all(reading)
    events = _events(content)
    (notice,) = (orjson.loads(line) for line in content.splitlines() if b"log_lines_dropped" in line)
    assert notice["count"] > 0
    assert events.count("test") + notice["count"] == written + 1


@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_a_socket_is_written_without_blocking() -> None:
    """Standard error under systemd is a socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:  # the writer's own copy is open for as long as a process is
        output = LogOutput(log_output.writer(ours.fileno()))
        for _ in range(20 * MAX_WAITING // len(LINE)):
            output.write(LINE)
        assert set(_events(_read_all(theirs.fileno()).rpartition(b"\n")[0])) == {"test"}
        del output
        gc.collect()


def test_the_descriptor_stays_blocking_for_others(pipe: tuple[int, int]) -> None:
    """The mode of a shared standard error is not changed, so a shell does not get EAGAIN."""
    write = log_output.writer(pipe[1])
    assert write(memoryview(LINE)) == len(LINE)
    assert os.get_blocking(pipe[1])


def test_a_file_is_written_where_others_write(tmp_path: Path) -> None:
    """A file that was opened without O_APPEND keeps one position for all who share it."""
    with (tmp_path / "log").open("wb", buffering=0) as log:
        log.write(b"first\n")
        LogOutput(log_output.writer(log.fileno())).write(LINE)
        log.write(b"last\n")
    assert (tmp_path / "log").read_bytes() == b"first\n" + LINE + b"last\n"


def test_lines_of_several_processes_are_not_mixed(pipe: tuple[int, int]) -> None:
    """More than a pipe takes whole is written in pieces that end with a line."""
    write = log_output.writer(pipe[1])
    taken = write(memoryview(LINE * 1000))
    assert taken < 1000 * len(LINE)
    assert taken % len(LINE) == 0


async def test_what_waits_is_written_without_another_line(pipe: tuple[int, int]) -> None:
    """The last lines before a quiet time leave as soon as the reader takes them."""
    reading, writing = pipe
    output = LogOutput(log_output.writer(writing))
    for _ in range(70_000 // len(LINE)):
        output.write(LINE)
    content = _read_all(reading)
    while content.count(b"\n") < 70_000 // len(LINE):
        await asyncio.sleep(RETRY_DELAY / 10)
        content += _read_all(reading)
