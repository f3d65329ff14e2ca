"""Pure: spans, the parent that a proxy names, and the encoding (OTLP 1.10, JSON)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import orjson

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_NO_SPAN = "0" * 16
_SAMPLED = 1


class Attribute(StrEnum):
    """Everything that a span may say beside its name and its times. No value comes from a client."""

    METHOD = "http.request.method"
    ROUTE = "http.route"  # the pattern, never the requested path
    STATUS = "http.response.status_code"
    REQUEST_ID = "ostiary.request_id"  # the proxy's, as the log has it
    STORE = "db.system.name"
    ROUND_TRIPS = "ostiary.round_trips"


class SpanKind(IntEnum):
    """By their numbers in OTLP."""

    SERVER = 2
    CLIENT = 3


@dataclass(frozen=True, slots=True)
class Parent:
    """The span in which the proxy sends the request."""

    trace_id: str
    span_id: str
    is_sampled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span that has ended; times in nanoseconds since 1970. `parent_id` is empty for a root."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: SpanKind
    began_at: int
    ended_at: int
    attributes: Mapping[Attribute, str | int]
    is_error: bool = False


def is_trace_id(text: str | None) -> bool:
    """Whether a request id has the form of a trace id, so that it can be one."""
    return text is not None and _TRACE_ID.fullmatch(text) is not None


def parent_of(traceparent: str | None) -> Parent | None:
    """The parent in a header `traceparent` (W3C Trace Context §3.2.2). None: none, or not well-formed."""
    if traceparent is None or (match := _TRACEPARENT.fullmatch(traceparent)) is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if not is_trace_id(trace_id) or span_id == _NO_SPAN or (version == "00" and more):
        return None
    return Parent(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


def encoded(spans: Iterable[Span], service: str) -> bytes:
    """The body of an OTLP request. In OTLP's JSON, identifiers are hexadecimal and 64-bit numbers text."""
    resource = _attributes({"service.name": "ostiary", "service.namespace": service})
    scope_spans = [{"scope": {"name": "ostiary"}, "spans": [_span(span) for span in spans]}]
    return orjson.dumps(
        {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": scope_spans}]}
    )


def _span(span: Span) -> Mapping[str, object]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "kind": int(span.kind),
        "startTimeUnixNano": str(span.began_at),
        "endTimeUnixNano": str(span.ended_at),
        "attributes": _attributes(span.attributes),
        "status": {"code": 2} if span.is_error else {},
    }


def _attributes(
    values: Mapping[str, str | int] | Mapping[Attribute, str | int],
) -> list[Mapping[str, object]]:
    return [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for name, value in values.items()
    ]
