"""PostgreSQL acknowledges a write every second; the times when it does not extend the reuse window."""

from datetime import timedelta

from services.worker.job import Job
from shared.store import Outages


def heartbeat(outages: Outages) -> Job:
    """One write. Every worker does it, so that the end of one is no outage."""
    return Job(name="heartbeat", work=outages.beat, every=timedelta(seconds=1), is_leased=False)
