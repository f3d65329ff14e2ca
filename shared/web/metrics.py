"""Prometheus metrics of one process, and the private listener that shows them."""

from functools import lru_cache

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_SECONDS = Histogram(
    "ostiary_request_seconds",
    "Time to answer, by route and status class.",
    ("route", "status"),
    buckets=_BUCKETS,
)
_EVENTS = Counter("ostiary_events_total", "What happened, by event and outcome.", ("event", "outcome"))


@lru_cache(maxsize=512)
def _seconds(route: str, status: str) -> Histogram:
    return _SECONDS.labels(route, status)


@lru_cache(maxsize=512)
def _events(event: str, outcome: str) -> Counter:
    return _EVENTS.labels(event, outcome)


def observe_request(route: str, status: int, seconds: float) -> None:
    """Count one answered request. *route* is the route's pattern, never the path that was asked for."""
    _seconds(route, f"{status // 100}xx").observe(seconds)


def count_event(event: str, outcome: str = "ok") -> None:
    """Count one event of the protocol, such as `token_issued`."""
    _events(event, outcome).inc()


async def show_metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})
