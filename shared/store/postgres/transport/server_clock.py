"""PostgreSQL's clock as a process knows it, for deadlines that the server judges."""

import time
from datetime import datetime, timedelta

from shared.store import Unavailable

MAX_ROUND_TRIP = 0.1  # seconds; a slower measurement counts only while there is no other


class ServerClock:
    """The difference between the server's clock and this process's monotonic one.

    Each measurement is late by at most the time of its round trip, so a deadline may be up to MAX_ROUND_TRIP
    too generous and never too strict. A server whose clock is set, or another server after a failover, is
    measured again with the next poll of the change counter.
    """

    def __init__(self) -> None:
        self._sent_at = 0.0
        self._server_time: datetime | None = None

    def measured(self, sent_at: float, server_time: datetime) -> None:
        """Learn from an answer that has just arrived. *sent_at*: by `time.monotonic`."""
        if self._server_time is None or time.monotonic() - sent_at <= MAX_ROUND_TRIP:
            self._sent_at, self._server_time = sent_at, server_time

    def deadline(self, deadline: float) -> datetime | None:
        """A monotonic *deadline* by the server's clock. None: not measured yet.

        Raises Unavailable: the deadline has passed.
        """
        if time.monotonic() > deadline:
            raise Unavailable("the request is too old to spend anything")
        if self._server_time is None:
            return None
        return self._server_time + timedelta(seconds=deadline - self._sent_at)
