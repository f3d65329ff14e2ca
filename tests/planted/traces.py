"""Defects of traces."""

from typing import Any

import pytest

from shared.server.http.dispatch import HttpDispatcher
from shared.server.traces.recorder import Recorder, Trace


def tells_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """A span has what the client sent, as instrumentation by libraries has it."""
    end = Recorder.end
    answer = HttpDispatcher._answer
    targets: list[str] = []

    async def noting(dispatcher: HttpDispatcher, request: Any) -> bytes:
        targets.append(request.raw_path)
        return await answer(dispatcher, request)

    def telling(
        recorder: Recorder, trace: Trace, request_id: str, method: str, route: str, status: int
    ) -> None:
        end(recorder, trace, request_id, method, targets[-1], status)

    monkeypatch.setattr(HttpDispatcher, "_answer", noting)
    monkeypatch.setattr(Recorder, "end", telling)


def continues_any_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends a `traceparent` is believed."""
    monkeypatch.setattr(
        HttpDispatcher, "_of_proxy", lambda dispatcher, request, name: request.headers.get(name)
    )
