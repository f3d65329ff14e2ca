"""A write to PostgreSQL every second. Times without an acknowledged write extend the reuse window."""

from datetime import timedelta

from services.worker.job import Job
from shared.store import Outages


def heartbeat(outages: Outages) -> Job:
    """The job. Every worker runs it, so that the end of one worker does not look like an outage."""
    return Job(name="heartbeat", work=outages.beat, every=timedelta(seconds=1), is_leased=False)
