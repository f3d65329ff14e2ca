"""Which requests are traced, and where their spans go."""

import random
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import ClientError, ClientSession, ClientTimeout, hdrs, web

from shared.live.background import Background
from shared.live.randomness import new_request_id, new_span_id
from shared.server.traces.spans import Attribute, Parent, Span, SpanKind, encoded, is_trace_id, parent_of
from shared.store import Unavailable
from shared.store.store_spans import STORE_SPANS, StoreSpan, StoreSpans

EVERY = timedelta(seconds=2)
TIMEOUT = ClientTimeout(total=3)
WAITING = 4096  # spans; a collector that is slow or away costs no more memory, and no request waits for it
AT_ONCE = 512  # spans in a request to the collector, which take a millisecond or two to encode


@dataclass(frozen=True, slots=True)
class Trace:
    """A request that is traced and has not been answered."""

    trace_id: str
    parent_id: str
    began_at: int
    spans: StoreSpans = field(default_factory=StoreSpans)


class Recorder:
    """The traces of a process. *sample*: the part of the requests that is traced unless a proxy decides."""

    def __init__(self, endpoint: str, sample: float, service: str) -> None:
        self._endpoint = endpoint
        self._sample = sample
        self._service = service
        self._waiting: deque[Span] = deque()
        self._lost = 0

    def begin(self, traceparent: str | None, request_id: str | None) -> Trace | None:
        """The trace of a request, if it is sampled. Both headers are a trusted proxy's, or None."""
        parent = parent_of(traceparent)
        trace = self._trace(parent, request_id) if self._is_sampled(parent) else None
        STORE_SPANS.set(trace.spans if trace else None)
        return trace

    def _is_sampled(self, parent: Parent | None) -> bool:
        return parent.is_sampled if parent else random.random() < self._sample  # noqa: S311 - no secret

    def _trace(self, parent: Parent | None, request_id: str | None) -> Trace:
        if parent:
            return Trace(parent.trace_id, parent.span_id, time.time_ns())
        known = request_id if request_id and is_trace_id(request_id) else None
        return Trace(known or new_request_id(), "", time.time_ns())

    def end(self, trace: Trace, request_id: str, method: str, route: str, status: int) -> None:
        """Keep the spans of a request that has been answered, unless too many wait."""
        if len(self._waiting) >= WAITING:
            self._lost += 1
            return
        method = method if method in hdrs.METH_ALL else "_OTHER"
        request = Span(
            trace_id=trace.trace_id,
            span_id=new_span_id(),
            parent_id=trace.parent_id,
            name=f"{method} {route}",
            kind=SpanKind.SERVER,
            began_at=trace.began_at,
            ended_at=time.time_ns(),
            attributes={
                Attribute.METHOD: method,
                Attribute.ROUTE: route,
                Attribute.STATUS: status,
                Attribute.REQUEST_ID: request_id,
            },
            is_error=status >= 500,
        )
        self._waiting.extend((request, *_of_stores(request, trace.spans)))

    async def export(self, http: ClientSession) -> None:
        """Send what waits. Raises Unavailable if the collector does not take it: then it is lost."""
        while self._waiting:
            spans = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                await self._send(http, encoded(spans, self._service))
            except (ClientError, OSError, TimeoutError) as fault:
                lost, self._lost = self._lost + len(spans), 0
                raise Unavailable(f"{lost} spans are lost: {type(fault).__name__}: {fault}") from fault
        if self._lost:
            lost, self._lost = self._lost, 0
            raise Unavailable(f"{lost} requests are not traced: too many spans waited")

    async def _send(self, http: ClientSession, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        async with http.post(
            self._endpoint, data=body, headers=headers, allow_redirects=False, raise_for_status=True
        ):
            pass

    @asynccontextmanager
    async def exporting(self, background: Background) -> AsyncIterator[None]:
        """Export in the background, and once more at the end."""
        async with ClientSession(timeout=TIMEOUT) as http:
            async with background.repeating("traces", lambda: self.export(http), EVERY):
                yield
            with suppress(Unavailable):
                await self.export(http)


def _of_stores(request: Span, spans: StoreSpans) -> Iterator[Span]:
    for store, span in (("redis", spans.redis), ("postgresql", spans.postgresql)):
        if span.round_trips:
            yield _of_store(request, store, span)


def _of_store(request: Span, store: str, span: StoreSpan) -> Span:
    return Span(
        trace_id=request.trace_id,
        span_id=new_span_id(),
        parent_id=request.span_id,
        name=store,
        kind=SpanKind.CLIENT,
        began_at=span.began_at,
        ended_at=span.ended_at or request.ended_at,
        attributes={Attribute.STORE: store, Attribute.ROUND_TRIPS: span.round_trips},
    )


TRACES = web.AppKey("TRACES", Recorder)
