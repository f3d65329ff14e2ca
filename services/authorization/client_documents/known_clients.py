"""Opens the clients of the authorization service."""

from collections.abc import AsyncIterator

from aiohttp import web

from services.authorization.client_documents.documents import OF_ALL, OF_HOST, DocumentLimits, KnownClients
from services.authorization.client_documents.policy import DocumentPolicy
from shared.live.rate_limiter import RateLimiter
from shared.oauth.client.account import account_client
from shared.operations.clients import allowed_by
from shared.server.app import BACKGROUND, SETTINGS
from shared.server.resources import CLIENTS, FETCHER, STORES

KNOWN_CLIENTS = web.AppKey("KNOWN_CLIENTS", KnownClients)


async def known_clients(app: web.Application) -> AsyncIterator[None]:
    """KNOWN_CLIENTS. Needs `stores` and `fetcher`."""
    settings, opened = app[SETTINGS], app[STORES]
    counts, is_on = opened.shared_counts, settings.rate_limits
    limits = DocumentLimits(
        RateLimiter(counts, "documents_of_host", OF_HOST, is_on=is_on),
        RateLimiter(counts, "documents", OF_ALL, is_on=is_on),
    )
    app[KNOWN_CLIENTS] = KnownClients(
        own=account_client(settings.issuer),
        policy=DocumentPolicy.of(settings),
        allowed=allowed_by(settings, client_credentials=False),
        cache=app[CLIENTS],
        clients=opened.clients,
        documents=opened.client_documents,
        copies=opened.document_copies,
        fetcher=app[FETCHER],
        limits=limits,
    )
    async with limits.of_host.sharing(app[BACKGROUND]), limits.of_all.sharing(app[BACKGROUND]):
        yield
