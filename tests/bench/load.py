"""The load generator: a fixed number of connections, each of which works one script off after another.

It runs in its own process, so that its CPU time does not count. It does not await requests: each response is
followed by the next request at once, which costs a few microseconds.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import cast

import uvloop

from shared.paths import Service
from tests.bench.wire import Script, WireRequest, WireResponse, WrongAnswer, read_answer

Address = str | tuple[str, int]
"""The path of a unix socket, or host and port."""

STUCK_SECONDS = 30.0  # without the end of an operation that was begun


@dataclass(frozen=True, slots=True)
class Workload:
    """A load: scripts of one kind, with a number of connections and a duration."""

    script: str
    addresses: Mapping[Service, Address]
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class LoadTimes:
    """The duration of each operation, and of all of them together, in seconds."""

    seconds: float
    latencies: tuple[float, ...]


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, answered: Callable[[WireResponse], None], broken: Callable[[Exception], None]) -> None:
        self._answered = answered
        self._broken = broken
        self._arrived = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        try:
            if answer := read_answer(self._arrived):
                self._arrived = b""
                self._answered(answer)
        except (
            Exception
        ) as error:  # a callback's exception would go to the loop's log, and the load would hang
            self._broken(error)

    def connection_lost(self, error: Exception | None) -> None:
        self._broken(error or ConnectionError("the connection was closed"))

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


class _Worker:
    """One of the connections. Without a proxy, it leads to several services."""

    def __init__(self, scripts: Iterator[Script], ends_at: float, latencies: list[float]) -> None:
        self._scripts = scripts
        self._ends_at = ends_at
        self._latencies = latencies
        self._lines: dict[Address, _Line] = {}
        self._addresses: Mapping[Service, Address] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self, addresses: Mapping[Service, Address]) -> None:
        loop = asyncio.get_running_loop()
        self._addresses = addresses
        for address in set(addresses.values()):
            line = _Line(self._answered, self._broken)
            if isinstance(address, str):
                await loop.create_unix_connection(lambda line=line: line, address)  # type: ignore[misc]
            else:
                await loop.create_connection(lambda line=line: line, *address)  # type: ignore[misc]
            self._lines[address] = line

    def begin(self) -> None:
        self._script = next(self._scripts)
        self._begun_at = time.perf_counter()
        self._send(next(self._script))

    def _send(self, request: WireRequest) -> None:
        self._expected = request.status
        self._lines[self._addresses[request.to]].send(request.data)

    def _answered(self, answer: WireResponse) -> None:
        if answer.status != self._expected:
            raise WrongAnswer(f"{answer.status} instead of {self._expected}: {answer.head!r} {answer.body!r}")
        try:
            self._send(self._script.send(answer))
        except StopIteration:
            now = time.perf_counter()
            self._latencies.append(now - self._begun_at)
            if now < self._ends_at:
                self.begin()
            else:
                self.close()

    def _broken(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def close(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        for line in self._lines.values():
            line.close()


async def _load(job: Workload, scripts: Iterator[Script]) -> LoadTimes:
    latencies: list[float] = []
    ends_at = time.perf_counter() + job.seconds
    workers = [_Worker(scripts, ends_at, latencies) for _ in range(job.connections)]
    try:
        for worker in workers:
            await worker.connect(job.addresses)
        started_at = time.perf_counter()
        for worker in workers:
            worker.begin()
        async with asyncio.timeout(job.seconds + STUCK_SECONDS):
            await asyncio.gather(*(worker.done for worker in workers))
        return LoadTimes(time.perf_counter() - started_at, tuple(latencies))
    finally:
        for worker in workers:
            worker.close()


Scripts = Mapping[str, Iterator[Script]]


def _work(pipe: Pipe, make: Callable[[], Scripts]) -> None:
    scripts = make()  # endless, and going on from job to job: what was spent is not spent again
    while job := pipe.recv():
        try:
            pipe.send(uvloop.run(_load(job, scripts[job.script])))
        except Exception as error:
            pipe.send(WrongAnswer(f"{type(error).__name__}: {error}"))


Load = Callable[[Workload], LoadTimes]


@contextmanager
def load_generator(make: Callable[[], Scripts]) -> Iterator[Load]:
    """A process that runs jobs. *make*, which is pickled, returns endless scripts by name.

    Its methods raise WrongAnswer if a script got an unexpected response.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, make), daemon=True)
    process.start()
    there.close()

    def load(job: Workload) -> LoadTimes:
        here.send(job)
        outcome = here.recv()
        if isinstance(outcome, Exception):
            raise outcome
        return cast(LoadTimes, outcome)

    try:
        yield load
    finally:
        here.send(None)
        process.join(STUCK_SECONDS)
        process.kill()
