"""The results, as text and as JSON."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from shared.live import clock
from shared.paths import Service
from tests.bench.cpu import machine
from tests.bench.measure import HELLO_LIMIT, Measurement, Result

HEAD = (
    f"{'':26}{'× hello':>8}{'target':>7}{'':6}"
    f"{'services':>9}{'stores':>8}{'proxy':>7} ms {'req/s':>7}{'p50':>7}{'p95':>7}{'p99':>7} ms"
)


def hello_microseconds(results: Sequence[Result]) -> float:
    """The median cost of hello in this run."""
    return statistics.median(result.hello for result in results) * 1e6


def is_void(results: Sequence[Result]) -> bool:
    """Whether the machine was too busy, or a response was wrong."""
    too_busy = hello_microseconds(results) > HELLO_LIMIT * 1e6
    return too_busy or any(result.multiple is None for result in results)


def _name(result: Result) -> str:
    return f"{result.row.name}{', proxied' if result.is_proxied else ''}"


def line(result: Result) -> str:
    """A row: the CPU time of an operation on the left, its duration on the right."""
    name = _name(result)
    match result.measurement:
        case Measurement() as one:
            cpu = (
                f"{one.services * 1e3:9.3f}{(one.postgresql + one.redis) * 1e3:8.3f}{one.proxy * 1e3:7.3f}   "
            )
            clock = f"{one.per_second:8.0f}{one.p50 * 1e3:7.2f}{one.p95 * 1e3:7.2f}{one.p99 * 1e3:7.2f}"
            verdict = "hit" if result.is_hit else "MISS"
            return f"{name:33}{result.multiple:8.2f}{result.row.target:7g} {verdict:5}{cpu}{clock}"
        case reason:
            return f"{name:33}VOID: {reason[:300]}"


def memory(sizes: Mapping[Service, int]) -> str:
    """The size of each service's process. *sizes* are in bytes."""
    return ", ".join(f"{service} {size / 2**20:.0f} MiB" for service, size in sizes.items())


def closing(results: Sequence[Result], sizes: Mapping[Service, int]) -> Iterator[str]:
    """The summary of the run. *sizes*: of the services' processes, in bytes."""
    for name, is_proxied in (("hello", False), ("hello, proxied", True)):
        if of_kind := [result for result in results if result.is_proxied is is_proxied]:
            span = [result.hello * 1e6 for result in of_kind]
            yield f"{name}: {hello_microseconds(of_kind):.0f} µs ({min(span):.0f}-{max(span):.0f})"
    yield f"memory: {memory(sizes)}"
    if is_void(results):
        yield f"VOID: hello above {HELLO_LIMIT * 1e6:.0f} µs, or a row that was answered wrongly"
    misses = sorted(_name(result) for result in results if not result.is_hit)
    yield f"misses: {', '.join(misses) or 'none'}"


def as_json(results: Sequence[Result], sizes: Mapping[Service, int]) -> str:
    """Everything, times in seconds."""
    rows: list[dict[str, Any]] = [
        {
            "row": result.row.name,
            "is_proxied": result.is_proxied,
            "target": result.row.target,
            "postgresql_round_trips": result.row.postgres_round_trips,
            "redis_round_trips": result.row.redis_round_trips,
            "multiple": result.multiple,
            "is_hit": result.is_hit,
            "hello": result.hello,
            **(
                asdict(result.measurement)
                if isinstance(result.measurement, Measurement)
                else {"void": result.measurement}
            ),
        }
        for result in results
    ]
    document = {
        "date": clock.now().date(),
        "machine": machine(),
        "rows": rows,
        "is_void": is_void(results),
        "memory_bytes": {str(service): size for service, size in sizes.items()},
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
