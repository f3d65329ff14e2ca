"""The clients of the authorization service."""

from collections.abc import AsyncIterator

from aiohttp import web

from services.authorization.client_documents.documents import (
    OF_ALL,
    OF_HOST,
    DescribedClients,
    DocumentLimits,
)
from services.authorization.client_documents.known_clients import KnownClients
from services.authorization.client_documents.policy import DocumentPolicy
from shared.live.rate_limiter import RateLimiter
from shared.oauth.client.account import account_client
from shared.operations.clients import allowed_by
from shared.server.app import BACKGROUND, SETTINGS
from shared.server.resources import CLIENTS, FETCHER, STORES

KNOWN_CLIENTS = web.AppKey("KNOWN_CLIENTS", KnownClients)


async def known_clients(app: web.Application) -> AsyncIterator[None]:
    """KNOWN_CLIENTS. Needs `stores` and `fetcher`."""
    settings, stores = app[SETTINGS], app[STORES]
    limits = DocumentLimits(
        RateLimiter(stores.shared_counts, "documents_of_host", OF_HOST, is_on=settings.rate_limits),
        RateLimiter(stores.shared_counts, "documents", OF_ALL, is_on=settings.rate_limits),
    )
    allowed = allowed_by(settings, client_credentials=False)
    app[KNOWN_CLIENTS] = KnownClients(
        own=account_client(settings.issuer),
        policy=DocumentPolicy.of(settings),
        cache=app[CLIENTS],
        clients=stores.clients,
        documents=stores.client_documents,
        described=DescribedClients(allowed, stores.document_copies, app[FETCHER], limits),
    )
    async with limits.of_host.sharing(app[BACKGROUND]), limits.of_all.sharing(app[BACKGROUND]):
        yield
