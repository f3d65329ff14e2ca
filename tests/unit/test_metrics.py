"""Metrics in Prometheus' format."""

from prometheus_client import REGISTRY

from shared.server.metrics import count_event, observe_request


def _value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_request_is_counted_in_every_bucket_that_it_fits() -> None:
    """Buckets are cumulative, and the last one holds everything."""
    labels = {"route": "/test", "status": "4xx"}
    for seconds in (0.001, 0.02, 100.0):
        observe_request("/test", 404, seconds)
    counts = [
        _value("ostiary_request_seconds_bucket", **labels, le=bound)
        for bound in ("0.001", "0.01", "0.025", "10.0", "+Inf")
    ]
    assert counts == [1, 1, 2, 2, 3]
    assert _value("ostiary_request_seconds_count", **labels) == 3
    assert _value("ostiary_request_seconds_sum", **labels) == 100.021


def test_an_event_is_counted_by_its_outcome() -> None:
    """One counter for each pair."""
    before = _value("ostiary_events_total", event="test", outcome="ok")
    count_event("test")
    count_event("test", "refused")
    assert _value("ostiary_events_total", event="test", outcome="ok") == before + 1
