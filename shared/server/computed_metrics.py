"""Metrics that are computed when they are scraped: of the pool, the readiness and the cache of clients."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import REGISTRY
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from shared.server.metric_table import (
    CACHE_LOOKUPS,
    DATABASE_CONNECTIONS,
    DATABASE_POOL_EVENTS,
    DATABASE_POOL_SIZE,
    DATABASE_WAITING,
    READY,
    MetricDescription,
)
from shared.store import PoolStatistics

Compute = Callable[[], Iterable[Metric]]


class _ComputedMetrics(Collector):
    """What each source computes, by its name: of the application that was started last."""

    def __init__(self) -> None:
        self.sources: dict[str, Compute] = {}

    def collect(self) -> Iterable[Metric]:
        for compute in self.sources.values():
            yield from compute()


_COMPUTED = _ComputedMetrics()
REGISTRY.register(_COMPUTED)


def _gauge(description: MetricDescription, values: Mapping[str, float]) -> Metric:
    """A gauge with one label, or with none and the value of ``""``."""
    family = description.gauge()
    for label, value in values.items():
        family.add_metric((label,) if description.labels else (), value)
    return family


def _counter(description: MetricDescription, values: Mapping[str, int]) -> Metric:
    family = description.counter()
    for label, value in values.items():
        family.add_metric((label,), value)
    return family


def show_pool(statistics: Callable[[], PoolStatistics]) -> None:
    """Show the statistics of a pool from now on."""

    def compute() -> Iterable[Metric]:
        numbers = statistics()
        uses = {use: getattr(numbers, use) for use in ("idle", "in_use", "recovering")}
        events = {event: getattr(numbers, event) for event in ("opened", "given_up", "timed_out")}
        return (
            _gauge(DATABASE_CONNECTIONS, uses),
            _gauge(DATABASE_POOL_SIZE, {"": numbers.size}),
            _gauge(DATABASE_WAITING, {"": numbers.waiting}),
            _counter(DATABASE_POOL_EVENTS, events),
        )

    _COMPUTED.sources["pool"] = compute


def show_readiness(results: Callable[[], Mapping[str, bool]]) -> None:
    """Show which checks pass from now on."""
    _COMPUTED.sources["readiness"] = lambda: (_gauge(READY, results()),)


def show_cache(lookups: Callable[[], Mapping[str, int]]) -> None:
    """Show the lookups in the cache of clients from now on, by their outcome."""
    _COMPUTED.sources["cache"] = lambda: (_counter(CACHE_LOOKUPS, lookups()),)
