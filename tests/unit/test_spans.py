"""Parents that proxies name, and the encoding of spans."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.server.traces.spans import Attribute, Parent, Span, SpanKind, encoded, is_trace_id, parent_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("traceparent", "parent"),
    [
        (f"00-{TRACE}-{SPAN}-01", Parent(TRACE, SPAN, True)),
        (f"00-{TRACE}-{SPAN}-00", Parent(TRACE, SPAN, False)),
        (f"00-{TRACE}-{SPAN}-03", Parent(TRACE, SPAN, True)),
        (f"cc-{TRACE}-{SPAN}-01", Parent(TRACE, SPAN, True)),
        (f"cc-{TRACE}-{SPAN}-01-what-a-later-version-adds", Parent(TRACE, SPAN, True)),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"cc-{TRACE}-{SPAN}-01.more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE}-{SPAN}", None),
        ("", None),
        (None, None),
    ],
)
def test_a_parent_is_read_as_the_specification_says(traceparent: str | None, parent: Parent | None) -> None:
    """W3C Trace Context §3.2.2: a header that is not well-formed counts as none."""
    assert parent_of(traceparent) == parent


@given(st.text())
def test_any_header_is_read(text: str) -> None:
    """It raises nothing."""
    parent_of(text)


def test_a_request_id_may_be_a_trace_id() -> None:
    """nginx's `$request_id` is one; a UUID with hyphens is none."""
    assert is_trace_id(TRACE)
    assert not is_trace_id("0af76519-16cd-43dd-8448-eb211c80319c")
    assert not is_trace_id("0" * 32)
    assert not is_trace_id(None)


def test_spans_are_encoded_for_a_collector() -> None:
    """OTLP's JSON: hexadecimal identifiers, and 64-bit numbers as text."""
    span = Span(
        trace_id=TRACE,
        span_id=SPAN,
        parent_id="",
        name="POST /oidc/oauth2/token",
        kind=SpanKind.SERVER,
        began_at=1_700_000_000_000_000_001,
        ended_at=1_700_000_000_000_000_002,
        attributes={Attribute.METHOD: "POST", Attribute.STATUS: 503},
        is_error=True,
    )
    (resource,) = orjson.loads(encoded([span], "token"))["resourceSpans"]
    assert {"key": "service.namespace", "value": {"stringValue": "token"}} in resource["resource"][
        "attributes"
    ]
    (scope,) = resource["scopeSpans"]
    assert scope["spans"] == [
        {
            "traceId": TRACE,
            "spanId": SPAN,
            "parentSpanId": "",
            "name": "POST /oidc/oauth2/token",
            "kind": 2,
            "startTimeUnixNano": "1700000000000000001",
            "endTimeUnixNano": "1700000000000000002",
            "attributes": [
                {"key": "http.request.method", "value": {"stringValue": "POST"}},
                {"key": "http.response.status_code", "value": {"intValue": "503"}},
            ],
            "status": {"code": 2},
        }
    ]
