"""Noting when PostgreSQL acknowledges nothing, by a write a second of every worker."""

from datetime import timedelta

from services.worker.job import Job
from shared.store import Outages

EVERY = timedelta(seconds=1)


def outage_watch(outages: Outages) -> Job:
    """The job. Each worker does it for itself, so that the end of one is no outage."""
    return Job(name="outage_watch", work=outages.beat, every=EVERY, is_leased=False)
