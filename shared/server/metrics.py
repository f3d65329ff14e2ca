"""Prometheus metrics of one process, and the private listener that serves them.

Values are counted in plain numbers and converted when they are requested: prometheus_client's counters lock
at each step, and would cost as much as the rest of the request's log and metrics.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from shared.server.metric_table import (
    BACKGROUND_ROUNDS,
    EVENTS,
    LOOP_LAG_SECONDS,
    METRICS,
    REQUEST_SECONDS,
    MetricDescription,
)

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
_BOUNDS = (*(str(float(bound)) for bound in _BUCKETS), "+Inf")


class _Durations:
    """Durations of one kind."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_BOUNDS)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(_BUCKETS, seconds)] += 1
        self.seconds += seconds

    def samples(self) -> tuple[list[tuple[str, float]], float]:
        """The cumulative buckets, and the sum."""
        return list(zip(_BOUNDS, accumulate(self.counts), strict=True)), self.seconds


class _ProcessMetrics(Collector):
    """The counts of this process."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, int], _Durations] = defaultdict(_Durations)
        self.events: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.rounds: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.loop_lag = _Durations()
        self.values: defaultdict[str, defaultdict[tuple[str, ...], float]] = defaultdict(
            lambda: defaultdict(float)
        )

    def collect(self) -> Iterable[Metric]:
        seconds = REQUEST_SECONDS.histogram()
        for (route, status_class), durations in self.requests.items():
            seconds.add_metric((route, f"{status_class}xx"), *durations.samples())
        yield seconds
        lag = LOOP_LAG_SECONDS.histogram()
        lag.add_metric((), *self.loop_lag.samples())
        yield lag
        for description, numbers in ((EVENTS, self.events), (BACKGROUND_ROUNDS, self.rounds)):
            family = description.counter()
            for labels, count in numbers.items():
                family.add_metric(labels, count)
            yield family
        for description in METRICS:
            if values := self.values.get(description.name):
                samples = description.gauge() if description.kind == "gauge" else description.counter()
                for names, value in values.items():
                    samples.add_metric(names, value)
                yield samples


_METRICS = _ProcessMetrics()
REGISTRY.register(_METRICS)


def observe_request(route: str, status: int, seconds: float) -> None:
    """Count one answered request. *route* is the route's pattern, never the requested path."""
    _METRICS.requests[route, status // 100].observe(seconds)


def observe_loop_lag(seconds: float) -> None:
    """Count one turn of the event loop that was so much late."""
    _METRICS.loop_lag.observe(seconds)


def count_event(event: str, outcome: str = "ok", count: int = 1) -> None:
    """Count an event, such as `token_issued`, that happened *count* times."""
    _METRICS.events[event, outcome] += count


def observe_round(work: str, outcome: str) -> None:
    """Count one round of background work."""
    _METRICS.rounds[work, outcome] += 1


def set_gauge(description: MetricDescription, value: float, *labels: str) -> None:
    """Set a gauge that is seldom set; *labels* in their order."""
    _METRICS.values[description.name][labels] = value


def add_to_counter(description: MetricDescription, count: int, *labels: str) -> None:
    """Add to a counter that is seldom added to; *labels* in their order."""
    _METRICS.values[description.name][labels] += count


async def show_metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})
