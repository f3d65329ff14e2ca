"""Deletes unused registrations, clients of documents without grants, and expired initial access tokens."""

from datetime import timedelta

import structlog

from services.worker.job import Job
from shared.config.settings import Settings
from shared.store import ClientDocuments, ClientUses, InitialAccessTokens

logger = structlog.get_logger()


UNUSED_DOCUMENT = timedelta(hours=1)
"""Longer than an authorization code, or a device, waits for its client."""


def client_expiry(
    uses: ClientUses,
    documents: ClientDocuments,
    initial_access_tokens: InitialAccessTokens,
    settings: Settings,
) -> Job:
    """The job, which deletes what is due."""

    async def work() -> None:
        while expired := await uses.expire(settings.unused_client_lifetime):
            logger.info("clients_expired", number=len(expired))
        while expired := await documents.expire(UNUSED_DOCUMENT):
            logger.info("clients_expired", number=len(expired))
        while await initial_access_tokens.delete_expired():
            pass

    return Job(name="registrations", work=work, every=timedelta(minutes=10))
