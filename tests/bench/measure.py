"""Measures a load, and the CPU time that each part of the deployment spends on it."""

import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from shared.paths import Service
from tests.bench.cpu import cpu_seconds, resident_bytes
from tests.bench.deployment import BenchStores, BenchTarget
from tests.bench.load import Address, Load, Workload
from tests.bench.rows import HELLO, Row
from tests.bench.wire import WrongAnswer

CONNECTIONS = 16
ROUNDS = 3
REST = 3.0  # seconds
HELLO_LIMIT = 90e-6
"""Seconds of CPU time. Above it the machine is too busy to measure on, and the run is void."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The duration of each load, in seconds."""

    warm_up: float
    measured: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """The cost of a load: CPU seconds for each operation, and the durations of the operations."""

    services: float
    postgresql: float
    redis: float
    proxy: float
    hello: float
    per_second: float
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Result:
    """A row, with the proxy or without it. If it is void, `measurement` is the reason."""

    row: Row
    is_proxied: bool
    measurement: Measurement | str
    hello: float  # CPU seconds of hello a request, before and after

    @property
    def multiple(self) -> float | None:
        """The services' CPU time as a multiple of hello's. None: the row is void."""
        return self.measurement.services / self.hello if isinstance(self.measurement, Measurement) else None

    @property
    def is_hit(self) -> bool:
        return self.multiple is not None and self.multiple <= self.row.target


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures loads on one deployment."""

    load: Load
    running: BenchTarget
    stores: BenchStores
    extent: Extent
    idle: Sequence[float] = (0.0,) * 5  # CPU seconds that each part spends in a second without a load

    def at_rest(self) -> "Meter":
        """A meter that takes off what is spent without a load: much, for a row of few operations."""
        before = self._spent()
        time.sleep(REST)
        spent = zip(self._spent(), before, strict=True)
        return replace(self, idle=tuple((late - early) / REST for late, early in spent))

    def hello(self, *, is_proxied: bool) -> float:
        """CPU seconds of hello for a request. They are higher behind the proxy."""
        address = self.running.hello_proxied if is_proxied else self.running.hello_direct
        return self._measure(HELLO, {Service.DISCOVERY: address}).hello

    def row(self, row: Row, *, is_proxied: bool) -> Result:
        """A row, between two measurements of hello. It is void if a response was wrong."""
        before = self.hello(is_proxied=is_proxied)
        measurement: Measurement | str
        try:
            measurement = self._measure(row.name, self.running.proxied if is_proxied else self.running.direct)
        except WrongAnswer as wrong:
            measurement = str(wrong)
        return Result(row, is_proxied, measurement, (before + self.hello(is_proxied=is_proxied)) / 2)

    def soak(self, row: Row) -> int:
        """Run a load without measuring. Returns the number of operations. Raises WrongAnswer."""
        job = Workload(row.name, self.running.direct, CONNECTIONS, self.extent.measured)
        return len(self.load(job).latencies)

    def memory(self) -> dict[Service, int]:
        """The memory of each service's process, in bytes."""
        return {service: resident_bytes(pid) for service, pid in self.running.services.items()}

    def _measure(self, script: str, addresses: dict[Service, Address]) -> Measurement:
        self.load(Workload(script, addresses, CONNECTIONS, self.extent.warm_up))
        before = self._spent()
        outcome = self.load(Workload(script, addresses, CONNECTIONS, self.extent.measured))
        operations = len(outcome.latencies)
        services, postgresql, redis, proxy, hello = (
            max(0.0, late - early - idle * outcome.seconds) / operations
            for late, early, idle in zip(self._spent(), before, self.idle, strict=True)
        )
        percentiles = statistics.quantiles(outcome.latencies, n=100)
        return Measurement(
            services=services,
            postgresql=postgresql,
            redis=redis,
            proxy=proxy,
            hello=hello,
            per_second=operations / outcome.seconds,
            p50=percentiles[49],
            p95=percentiles[94],
            p99=percentiles[98],
        )

    def _spent(self) -> tuple[float, ...]:
        running = self.running
        stores = (self.stores.postgresql,), (self.stores.redis,)
        parts = (running.services.values(), *stores, running.proxies, (running.hello,))
        return tuple(cpu_seconds(pids) for pids in parts)


def measure(meter: Meter, rows: Iterable[Row], *, proxied: Sequence[bool]) -> Iterator[Result]:
    """Every row, with the proxy or without it: the median of several rounds, or a void one.

    A busy neighbour can make the same row cost a third more.
    """
    for row in rows:
        for is_proxied in proxied:
            rounds = [meter.row(row, is_proxied=is_proxied) for _ in range(ROUNDS)]
            void = [result for result in rounds if result.multiple is None]
            yield void[0] if void else sorted(rounds, key=lambda result: result.multiple or 0)[ROUNDS // 2]
