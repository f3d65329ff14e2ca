"""The removal of what deleted clients leave behind."""

from datetime import timedelta

from services.worker.job import Job
from shared.store import ClientRemovals

BATCH = 200
"""Few enough to hold no lock for longer than 100 ms."""
MAX_BATCHES = 100


def client_removal(removals: ClientRemovals) -> Job:
    """Remove it in batches, so many a round that each round ends soon."""

    async def work() -> None:
        for _ in range(MAX_BATCHES):
            if not await removals.remove(BATCH):
                return

    return Job(name="client_removal", work=work, every=timedelta(seconds=10))
