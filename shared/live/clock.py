"""The current time. Rules take it as an argument; steps call this module."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Aware, UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds of a monotonic clock."""
    return time.monotonic()
