"""The time. Rules take it as an argument; steps ask here."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Aware, UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds of a clock that is never set."""
    return time.monotonic()
