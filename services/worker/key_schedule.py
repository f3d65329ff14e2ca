"""Creates, rotates and empties keys on schedule."""

from datetime import timedelta

from services.worker.job import Job
from shared.config.settings import Settings
from shared.live import clock
from shared.operations.keys import keep_schedule
from shared.store import Keys


def key_schedule(keys: Keys, settings: Settings) -> Job:
    """The job, which does what is due."""

    async def work() -> None:
        await keep_schedule(keys, settings, clock.now())

    return Job(name="keys", work=work, every=timedelta(seconds=30))
