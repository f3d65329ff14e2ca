"""Signs out users who have lost a group or a role together with many others."""

from services.worker.job import Job
from services.worker.retries import EVERY, PATIENCE
from shared.store import SignOuts

BATCH = 100
"""A batch is small enough to hold no lock for longer than 100 ms: it takes about 40 ms."""
MAX_BATCHES = 100


def sign_outs(waiting: SignOuts) -> Job:
    """The job. It limits the batches of a round, so that each round is short."""

    async def work() -> None:
        for _ in range(MAX_BATCHES):
            if await waiting.sign_out(BATCH) < BATCH:
                return

    return Job(name="sign_outs", work=work, every=EVERY, is_leased=False, patience=PATIENCE)
