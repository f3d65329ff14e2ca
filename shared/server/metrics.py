"""Prometheus metrics of one process, and the private listener that serves them.

Values are counted in plain numbers and converted when they are requested: prometheus_client's counters lock
at each step, and would cost as much as the rest of the request's log and metrics.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
_BOUNDS = (*(str(float(bound)) for bound in _BUCKETS), "+Inf")


class _Durations:
    """The durations of requests of one kind."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_BOUNDS)
        self.seconds = 0.0


class _ProcessMetrics(Collector):
    """The counts of this process."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, int], _Durations] = defaultdict(_Durations)
        self.events: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.rounds: defaultdict[tuple[str, str], int] = defaultdict(int)

    def collect(self) -> Iterable[Metric]:
        seconds = HistogramMetricFamily(
            "ostiary_request_seconds",
            "Time to answer, by route and status class.",
            labels=("route", "status"),
        )
        for (route, status_class), durations in self.requests.items():
            buckets = list(zip(_BOUNDS, accumulate(durations.counts), strict=True))
            seconds.add_metric((route, f"{status_class}xx"), buckets, durations.seconds)
        events = CounterMetricFamily(
            "ostiary_events", "What happened, by event and outcome.", labels=("event", "outcome")
        )
        for labels, count in self.events.items():
            events.add_metric(labels, count)
        rounds = CounterMetricFamily(
            "ostiary_background_rounds",
            "Rounds of background work, by work and outcome (ok, unavailable, failed).",
            labels=("work", "outcome"),
        )
        for labels, count in self.rounds.items():
            rounds.add_metric(labels, count)
        return seconds, events, rounds


_METRICS = _ProcessMetrics()
REGISTRY.register(_METRICS)

CLOCK_SKEW = Gauge("ostiary_clock_skew_seconds", "How far this process's clock is ahead of PostgreSQL's.")


def observe_request(route: str, status: int, seconds: float) -> None:
    """Count one answered request. *route* is the route's pattern, never the requested path."""
    durations = _METRICS.requests[route, status // 100]
    durations.counts[bisect_left(_BUCKETS, seconds)] += 1
    durations.seconds += seconds


def count_event(event: str, outcome: str = "ok", count: int = 1) -> None:
    """Count an event, such as `token_issued`, that happened *count* times."""
    _METRICS.events[event, outcome] += count


def observe_round(work: str, outcome: str) -> None:
    """Count one round of background work."""
    _METRICS.rounds[work, outcome] += 1


async def show_metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})
