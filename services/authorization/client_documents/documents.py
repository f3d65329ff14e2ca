"""Finds the client of a request, also where its client_id is the URL of its metadata."""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from services.authorization.client_documents.document import BadDocument, read_document
from services.authorization.client_documents.freshness import fresh_for
from services.authorization.client_documents.policy import DocumentPolicy
from shared.fetch import FetchedBody, FetchFailed
from shared.live import clock
from shared.live.client_cache import ClientCache
from shared.live.rate_limiter import Rate, RateLimiter
from shared.model import Author
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest, TemporarilyUnavailable, TooManyRequests
from shared.oauth.refusal import Reason
from shared.store import ClientDocuments, Clients, DocumentCopies, DocumentCopy, Stale

MAX_DOCUMENT = 16 * 1024
STALE_FOR = timedelta(days=1)
"""How long the last good copy serves clients that people use, while the document cannot be fetched."""

OF_HOST = Rate(most=20, period=timedelta(minutes=1))
OF_ALL = Rate(most=120, period=timedelta(minutes=1))
"""Fetches of documents of clients that nobody uses yet: of one host, and of all hosts together."""

_CLAIMED_FOR = timedelta(seconds=5)  # longer than a fetch may take
_POLLED_EVERY = 0.1  # seconds, while another process fetches
_MAX_KEPT = 1000
_JSON = re.compile(r"application/(?:[!#$&^_.+a-z0-9-]+\+)?json")

logger = structlog.get_logger()


class Fetching(Protocol):
    """The guarded fetcher, as far as documents need it."""

    async def get(
        self, uri: str, parse: Callable[[FetchedBody], DocumentCopy], most: int
    ) -> DocumentCopy: ...


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Fetches for strangers, counted by host and altogether."""

    of_host: RateLimiter
    of_all: RateLimiter

    def take(self, host: str, now: datetime) -> timedelta | None:
        """Count a fetch, or return how long to wait."""
        return self.of_host.take(host, now) or self.of_all.take("", now)


class KnownClients:
    """The server's own client, registered ones from the cache, and those that documents describe.

    A document is fetched by one process at a time, and its copy is shared. What cannot be fetched is never
    cached: the fetcher backs off for some seconds, and a client that people use goes on with the last copy.
    """

    def __init__(
        self,
        *,
        own: Client,
        policy: DocumentPolicy,
        allowed: Capabilities,
        cache: ClientCache,
        clients: Clients,
        documents: ClientDocuments,
        copies: DocumentCopies,
        fetcher: Fetching,
        limits: DocumentLimits,
    ) -> None:
        self._own = own
        self._policy = policy
        self._allowed = allowed
        self._cache = cache
        self._clients = clients
        self._documents = documents
        self._copies = copies
        self._fetcher = fetcher
        self._limits = limits
        self._kept: OrderedDict[str, DocumentCopy] = OrderedDict()
        self._loading: dict[str, asyncio.Task[DocumentCopy]] = {}

    async def cached(self, client_id: str) -> Client | None:
        """As `ClientCache.cached`: never by a document. Raises Unavailable."""
        return await self._cache.cached(client_id)

    async def registered(self, client_id: str) -> Client | None:
        """The server's own client, or a registered one: never by a document. Raises Unavailable."""
        return self._own if client_id == self._own.client_id else await self._cache.find(client_id)

    async def find(self, client_id: str) -> Client | None:
        """The client, disabled or not. Raises InvalidRequest, TooManyRequests, Unavailable: the document."""
        return await self._described(client_id, await self.registered(client_id))

    async def read(self, client_id: str) -> Client | None:
        """As `find`, with the registered client as PostgreSQL has it now."""
        is_own = client_id == self._own.client_id
        return await self._described(client_id, self._own if is_own else await self._cache.read(client_id))

    async def keep(self, client: Client) -> Client:
        """Store the client of a document to which a user has agreed; the client as it is stored."""
        if client.document_hash is None:
            return client
        await self._documents.keep(client)
        return await self._cache.read(client.client_id) or client

    async def _described(self, client_id: str, stored: Client | None) -> Client | None:
        if stored and (stored.document_hash is None or stored.disabled_at):
            return stored
        if not self._policy.names_a_document(client_id):
            return None
        if fault := self._policy.fault(client_id):
            raise InvalidRequest(f"client_id {fault}", detail=Reason.DOCUMENT, client_id=client_id)
        if stored is None and self._policy.needs_approval:
            await self._check_approval(client_id)
        described = await self._current(client_id, stored)
        return described if stored is None else await self._updated(stored, described)

    async def _check_approval(self, client_id: str) -> None:
        """Raises InvalidRequest."""
        if not await self._documents.is_approved(client_id):
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
            await self._clients.replace(updated, by=Author("its document"))
        return await self._cache.read(stored.client_id)

    async def _current(self, client_id: str, stored: Client | None) -> Client:
        """The client as its document describes it. Raises InvalidRequest, TooManyRequests, Unavailable."""
        copy = self._kept.get(client_id)
        if copy is None or copy.fresh_until <= clock.now():
            copy = await self._loaded(client_id, is_used=stored is not None)
            self._kept[client_id] = copy
            self._kept.move_to_end(client_id)
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        try:
            return read_document(client_id, copy.text, self._allowed)
        except BadDocument as fault:
            raise _unusable(client_id, str(fault)) from None

    async def _loaded(self, client_id: str, *, is_used: bool) -> DocumentCopy:
        if (task := self._loading.get(client_id)) is None:
            task = self._loading[client_id] = asyncio.create_task(self._load(client_id, is_used=is_used))
            task.add_done_callback(lambda _: self._loading.pop(client_id, None))
        return await asyncio.shield(task)

    async def _load(self, client_id: str, *, is_used: bool) -> DocumentCopy:
        """A fresh copy: another process's, or a new one. Raises as `_current`."""
        key = document_key(client_id)
        end = asyncio.get_running_loop().time() + _CLAIMED_FOR.total_seconds()
        is_counted = is_used
        while True:
            copy = await self._copies.find(key)
            if copy and clock.now() < copy.fresh_until:
                return copy
            if not is_counted:
                self._count(client_id)
                is_counted = True
            if await self._copies.claim(key, _CLAIMED_FOR):
                break
            if asyncio.get_running_loop().time() > end:
                raise TemporarilyUnavailable("the client's document is being fetched")
            await asyncio.sleep(_POLLED_EVERY)
        try:
            return await self._fetched(client_id, key)
        except FetchFailed as fault:
            logger.info("client_document_failed", client_id=client_id, cause=str(fault))
            if copy and is_used:
                return copy
            raise _unusable(client_id, str(fault)) from None
        finally:
            await self._copies.release(key)

    def _count(self, client_id: str) -> None:
        if wait := self._limits.take((urlsplit(client_id).hostname or "").lower(), clock.now()):
            raise TooManyRequests("too many new clients are being described", wait)

    async def _fetched(self, client_id: str, key: bytes) -> DocumentCopy:
        def parse(fetched: FetchedBody) -> DocumentCopy:
            if not _JSON.fullmatch(fetched.content_type):
                raise BadDocument("it is not of the type application/json")
            read_document(client_id, fetched.text, self._allowed)
            return DocumentCopy(fetched.text, clock.now() + fresh_for(fetched.headers))

        copy = await self._fetcher.get(client_id, parse, MAX_DOCUMENT)
        await self._copies.add(key, copy, STALE_FOR)
        return copy


def document_key(client_id: str) -> bytes:
    """The key of the copies of a document: URLs are long."""
    return hashlib.sha256(client_id.encode()).digest()


def _unusable(client_id: str, fault: str) -> InvalidRequest:
    description = f"client_id names a document that cannot be used: {fault}"
    return InvalidRequest(description, detail=Reason.DOCUMENT, client_id=client_id)
