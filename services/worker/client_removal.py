"""Removes the rows that deleted clients leave behind."""

from datetime import timedelta

from services.worker.job import Job
from shared.store import ClientRemovals

BATCH = 200
"""A batch is small enough to hold no lock for longer than 100 ms."""
MAX_BATCHES = 100


def client_removal(removals: ClientRemovals) -> Job:
    """The job. It removes rows in batches and limits the batches of a round, so that each round is short."""

    async def work() -> None:
        for _ in range(MAX_BATCHES):
            if not await removals.remove(BATCH):
                return

    return Job(name="client_removal", work=work, every=timedelta(seconds=10))
