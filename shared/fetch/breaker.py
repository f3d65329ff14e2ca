"""The circuit breaker: URIs that failed recently, and hosts that keep failing or are busy."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FAILED_FOR = 10.0  # seconds in which a URI that failed is not fetched again
OPEN_AFTER = 5  # consecutive failures of a host
OPEN_FOR = 30.0
PER_HOST = 4  # requests at a time
MAX_REMEMBERED = 10_000


@dataclass(slots=True)
class _Failures:
    in_flight: int = 0
    failures: int = 0
    closed_at: float = float("-inf")  # when the host may be tried again


class Breaker:
    """Counts failures in this process. Its size is bounded, however many URIs are registered."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._hosts: OrderedDict[str, _Failures] = OrderedDict()
        self._failed: OrderedDict[str, float] = OrderedDict()

    def has_failed(self, uri: str) -> bool:
        """Whether *uri* failed recently."""
        return self._clock() < self._failed.get(uri, float("-inf"))

    def remember(self, uri: str) -> None:
        """Do not fetch *uri* again for FAILED_FOR seconds."""
        self._failed[uri] = self._clock() + FAILED_FOR
        self._failed.move_to_end(uri)
        if len(self._failed) > MAX_REMEMBERED:
            self._failed.popitem(last=False)

    def enter(self, host: str) -> bool:
        """Whether *host* may be requested now. If so, the caller must call `leave` afterwards."""
        state = self._hosts.setdefault(host, _Failures())
        self._hosts.move_to_end(host)
        if state.in_flight >= PER_HOST or self._clock() < state.closed_at:
            return False
        state.in_flight += 1
        self._forget()
        return True

    def leave(self, host: str, has_answered: bool | None) -> None:
        """End a request. *has_answered*: whether the host responded; None: no response was awaited."""
        state = self._hosts[host]
        state.in_flight -= 1
        if has_answered is not None:
            state.failures = 0 if has_answered else state.failures + 1
        if state.failures >= OPEN_AFTER:
            state.closed_at = self._clock() + OPEN_FOR
            state.failures = OPEN_AFTER - 1  # then one attempt; if it fails, the host is closed again
        elif not (state.failures or state.in_flight):
            del self._hosts[host]

    def _forget(self) -> None:
        """Forget the host with the oldest request, unless a request to it is running."""
        if len(self._hosts) > MAX_REMEMBERED:
            oldest = next((host for host, state in self._hosts.items() if not state.in_flight), None)
            self._hosts.pop(oldest or "", None)
