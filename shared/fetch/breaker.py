"""What is not asked again at once: URIs that failed, and hosts that keep failing or are busy."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FAILED_FOR = 10.0  # seconds in which a URI that failed is not fetched again
OPEN_AFTER = 5  # failures of a host in a row
OPEN_FOR = 30.0
PER_HOST = 4  # requests at a time
MAX_REMEMBERED = 10_000


@dataclass(slots=True)
class _Failures:
    in_flight: int = 0
    failures: int = 0
    closed_at: float = float("-inf")  # when it may be asked again


class Breaker:
    """Counts in this process; bounded, whatever strangers register."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._hosts: OrderedDict[str, _Failures] = OrderedDict()
        self._failed: OrderedDict[str, float] = OrderedDict()

    def has_failed(self, uri: str) -> bool:
        """Whether *uri* failed a moment ago."""
        return self._clock() < self._failed.get(uri, float("-inf"))

    def remember(self, uri: str) -> None:
        """Do not fetch *uri* again for a moment."""
        self._failed[uri] = self._clock() + FAILED_FOR
        self._failed.move_to_end(uri)
        if len(self._failed) > MAX_REMEMBERED:
            self._failed.popitem(last=False)

    def enter(self, host: str) -> bool:
        """Whether *host* may be asked now. If so, `leave` must follow."""
        state = self._hosts.setdefault(host, _Failures())
        self._hosts.move_to_end(host)
        if state.in_flight >= PER_HOST or self._clock() < state.closed_at:
            return False
        state.in_flight += 1
        self._forget()
        return True

    def leave(self, host: str, has_answered: bool | None) -> None:
        """*has_answered*: whatever the answer was. None: nobody asked the host, or waited for its answer."""
        state = self._hosts[host]
        state.in_flight -= 1
        if has_answered is not None:
            state.failures = 0 if has_answered else state.failures + 1
        if state.failures >= OPEN_AFTER:
            state.closed_at = self._clock() + OPEN_FOR
            state.failures = OPEN_AFTER - 1  # then one try; if it fails, closed again
        elif not (state.failures or state.in_flight):
            del self._hosts[host]

    def _forget(self) -> None:
        """The host that was asked longest ago, unless it is being asked."""
        if len(self._hosts) > MAX_REMEMBERED:
            oldest = next((host for host, state in self._hosts.items() if not state.in_flight), None)
            self._hosts.pop(oldest or "", None)
