"""Prometheus metrics of the PostgreSQL connections."""

from collections.abc import Callable, Iterable

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.store import PoolStatistics

Statistics = Callable[[], PoolStatistics]


class _PoolCollector(Collector):
    """Collects the statistics of this process's pool (the one opened last)."""

    def __init__(self) -> None:
        self.statistics: Statistics | None = None

    def collect(self) -> Iterable[Metric]:
        if self.statistics is None:
            return
        numbers = self.statistics()
        connections = GaugeMetricFamily(
            "ostiary_database_connections", "Places of the pool, by their use.", labels=("use",)
        )
        for use in ("idle", "in_use", "recovering"):
            connections.add_metric((use,), getattr(numbers, use))
        yield connections
        yield GaugeMetricFamily(
            "ostiary_database_pool_size", "The most connections there may be.", value=numbers.size
        )
        yield GaugeMetricFamily(
            "ostiary_database_waiting", "Requests that wait for a connection.", value=numbers.waiting
        )
        events = CounterMetricFamily(
            "ostiary_database_pool_events",
            "Connections opened, statements given up before their end, waits that timed out.",
            labels=("event",),
        )
        for event in ("opened", "given_up", "timed_out"):
            events.add_metric((event,), getattr(numbers, event))
        yield events


_COLLECTOR = _PoolCollector()
REGISTRY.register(_COLLECTOR)


def show_pool(statistics: Statistics) -> None:
    """Show the statistics of a pool from now on."""
    _COLLECTOR.statistics = statistics
