"""The end of registrations that nobody used, and of initial access tokens that have expired."""

import structlog

from shared.settings import Settings
from shared.store import ClientUses, InitialAccessTokens

logger = structlog.get_logger()


async def expire_registrations(
    uses: ClientUses, initial_access_tokens: InitialAccessTokens, settings: Settings
) -> None:
    """Delete what is due. Idempotent. Raises Unavailable."""
    while expired := await uses.expire(settings.unused_client_lifetime):
        logger.info("clients_expired", number=len(expired))
    await initial_access_tokens.delete_expired()
