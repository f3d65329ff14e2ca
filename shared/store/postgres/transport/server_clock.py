"""PostgreSQL's clock as a process knows it, for deadlines and other moments that the server judges."""

import time
from datetime import datetime, timedelta

from shared.store import Unavailable


class ServerClock:
    """The difference between the server's clock and this process's monotonic one.

    The server read its clock between sending and receiving, so each measurement bounds the difference from
    both sides. The estimate starts at the upper bound and moves only when a later measurement excludes it: a
    slow one changes nothing, and a fast one narrows it. So a deadline is too generous by at most the shortest
    round trip, and a moment of the past is not told too early. A server whose clock is set, or another
    server after a failover, is measured with the next poll of the change counter.
    """

    def __init__(self) -> None:
        self._start: datetime | None = None  # the server's time when the monotonic clock was at 0

    @property
    def is_measured(self) -> bool:
        """Whether there has been a measurement."""
        return self._start is not None

    def measured(self, sent_at: float, server_time: datetime) -> None:
        """Learn from an answer that has just arrived. *sent_at*: by `time.monotonic`."""
        earliest = server_time - timedelta(seconds=time.monotonic())
        latest = server_time - timedelta(seconds=sent_at)
        self._start = min(max(self._start or latest, earliest), latest)

    def at(self, moment: float) -> datetime | None:
        """A monotonic *moment* by the server's clock. None: not measured yet."""
        return None if self._start is None else self._start + timedelta(seconds=moment)

    def deadline(self, deadline: float) -> datetime | None:
        """A monotonic *deadline* by the server's clock. None: not measured yet.

        Raises Unavailable: the deadline has passed.
        """
        if time.monotonic() > deadline:
            raise Unavailable("the request is too old to spend anything")
        return self.at(deadline)
