"""Finds the client of a request, also where its client_id is the URL of its metadata."""

from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from services.authorization.client_documents.documents import DescribedClients
from services.authorization.client_documents.policy import DocumentPolicy
from shared.live.client_cache import ClientCache
from shared.model import Author
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest
from shared.oauth.refusal import Reason
from shared.store import ClientDocuments, Clients, Stale

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClients:
    """The server's own client, registered ones from the cache, and those that documents describe."""

    own: Client
    policy: DocumentPolicy
    cache: ClientCache
    clients: Clients
    documents: ClientDocuments
    described: DescribedClients

    async def cached(self, client_id: str) -> Client | None:
        """As `ClientCache.cached`: never by a document. Raises Unavailable."""
        return await self.cache.cached(client_id)

    async def registered(self, client_id: str) -> Client | None:
        """The server's own client, or a registered one: never by a document. Raises Unavailable."""
        return self.own if client_id == self.own.client_id else await self.cache.find(client_id)

    async def find(self, client_id: str) -> Client | None:
        """The client, disabled or not.

        Raises InvalidRequest, TemporarilyUnavailable, TooManyRequests, Unavailable: the document.
        """
        return await self._with_document(client_id, await self.registered(client_id))

    async def read(self, client_id: str) -> Client | None:
        """As `find`, with the registered client as PostgreSQL has it now."""
        is_own = client_id == self.own.client_id
        return await self._with_document(client_id, self.own if is_own else await self.cache.read(client_id))

    async def keep(self, client: Client) -> Client:
        """Store the client of a document to which a user has agreed; the client as it is stored."""
        if client.document_hash is None:
            return client
        await self.documents.keep(client)
        return await self.cache.read(client.client_id) or client

    async def _with_document(self, client_id: str, stored: Client | None) -> Client | None:
        """The stored client as its document has it now; without a document, as it is stored."""
        if stored and (stored.document_hash is None or stored.disabled_at):
            return stored
        if not self.policy.names_a_document(client_id):
            return None
        if fault := self.policy.fault(client_id):
            raise InvalidRequest(f"client_id {fault}", detail=Reason.DOCUMENT, client_id=client_id)
        if stored is None and self.policy.needs_approval:
            await self._check_approval(client_id)
        described = await self.described.get(client_id, is_used=stored is not None)
        return described if stored is None else await self._updated(stored, described)

    async def _check_approval(self, client_id: str) -> None:
        """Raises InvalidRequest."""
        if not await self.documents.is_approved(client_id):
            raise InvalidRequest(
                "client_id names a document that no operator has approved",
                detail=Reason.DOCUMENT_APPROVAL,
                client_id=client_id,
            )

    async def _updated(self, stored: Client, described: Client) -> Client | None:
        """The stored client, in the words of its document."""
        updated = replace(
            described,
            created_at=stored.created_at,
            version=stored.version,
            epoch=stored.epoch,
            secrets=stored.secrets,
        )
        if updated == stored:
            return stored
        logger.info("client_document_changed", client_id=stored.client_id)
        with suppress(Stale):  # another process has written it
            await self.clients.replace(updated, by=Author("its document"))
        return await self.cache.read(stored.client_id)
