"""Deletes registrations that were never used, and initial access tokens that have expired."""

from datetime import timedelta

import structlog

from services.worker.job import Job
from shared.config.settings import Settings
from shared.store import ClientUses, InitialAccessTokens

logger = structlog.get_logger()


def client_upkeep(uses: ClientUses, initial_access_tokens: InitialAccessTokens, settings: Settings) -> Job:
    """The job, which deletes what is due."""

    async def work() -> None:
        while expired := await uses.expire(settings.unused_client_lifetime):
            logger.info("clients_expired", number=len(expired))
        await initial_access_tokens.delete_expired()

    return Job(name="registrations", work=work, every=timedelta(minutes=10))
