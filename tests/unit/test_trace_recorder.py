"""Which requests are traced, and how many spans wait for the collector."""

import pytest
from aiohttp import ClientSession

from shared.server.traces import recorder as module
from shared.server.traces.recorder import Recorder
from shared.store import Unavailable
from shared.store.store_spans import STORE_SPANS

TRACE = "0af7651916cd43dd8448eb211c80319c"


def _recorder(sample: float) -> Recorder:
    return Recorder("http://127.0.0.1:1/v1/traces", sample, "token")


@pytest.mark.parametrize(
    ("sample", "flags", "is_traced"),
    [(1, None, True), (0, None, False), (0, "01", True), (1, "00", False)],
)
def test_the_proxy_decides_before_the_sample(sample: float, flags: str | None, is_traced: bool) -> None:
    """A trace is whole or not there. Only a traced request counts its spans of the stores."""
    traceparent = f"00-{TRACE}-b7ad6b7169203331-{flags}" if flags else None
    assert (_recorder(sample).begin(traceparent, None) is not None) is is_traced
    assert (STORE_SPANS.get() is not None) is is_traced


def test_a_trace_has_the_request_id_if_that_can_be_one() -> None:
    """Otherwise it has an id of its own."""
    named, other = _recorder(1).begin(None, TRACE), _recorder(1).begin(None, "a-request-id")
    assert named
    assert other
    assert named.trace_id == TRACE
    assert len(other.trace_id) == 32


async def test_spans_that_nobody_takes_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many requests there are, so many spans wait; the fault says how many are lost."""
    monkeypatch.setattr(module, "WAITING", 3)
    recorder = _recorder(1)
    for _ in range(10):
        trace = recorder.begin(None, None)
        assert trace
        recorder.end(trace, "id", "GET", "/oidc/device", 200)
    async with ClientSession() as http:
        with pytest.raises(Unavailable, match="10 spans are lost"):
            await recorder.export(http)
        await recorder.export(http)  # nothing waits any more


async def test_no_span_has_a_method_that_a_client_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It could be anything."""
    recorder, sent = _recorder(1), []

    async def send(_: Recorder, __: ClientSession, body: bytes) -> None:
        sent.append(body)

    monkeypatch.setattr(Recorder, "_send", send)
    trace = recorder.begin(None, None)
    assert trace
    recorder.end(trace, "id", "SECRET", "/oidc/device", 404)
    async with ClientSession() as http:
        await recorder.export(http)
    assert b"SECRET" not in sent[0]
    assert b"_OTHER" in sent[0]
