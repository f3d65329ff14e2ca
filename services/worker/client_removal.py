"""The removal of what deleted clients leave behind."""

from datetime import timedelta

from services.worker.job import Job
from shared.store import ClientRemovals

BATCH = 200
"""Few enough to hold no lock for longer than 100 ms."""


def client_removal(removals: ClientRemovals) -> Job:
    """Remove it in batches, until nothing is left."""

    async def work() -> None:
        while await removals.remove(BATCH):
            pass

    return Job(name="client_removal", work=work, every=timedelta(seconds=10))
