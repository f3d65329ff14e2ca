"""The documents that describe clients: fetched, cached and shared between processes."""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from services.authorization.client_documents.document import BadDocument, read_document
from services.authorization.client_documents.freshness import fresh_for
from shared.fetch import FetchedBody, FetchFailed
from shared.live import clock
from shared.live.rate_limiter import Rate, RateLimiter
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest, TemporarilyUnavailable, TooManyRequests
from shared.oauth.refusal import Reason
from shared.store import DocumentCopies, DocumentCopy

MAX_DOCUMENT = 16 * 1024
STALE_FOR = timedelta(days=1)
"""How long the last good copy serves clients that people use, while the document cannot be fetched."""

OF_HOST = Rate(most=20, period=timedelta(minutes=1))
OF_ALL = Rate(most=120, period=timedelta(minutes=1))
"""Fetches of documents of clients that nobody uses yet: of one host, and of all hosts together."""

_CLAIMED_FOR = timedelta(seconds=5)  # longer than a fetch may take
_POLLED_EVERY = 0.1  # seconds, while another process fetches
_MAX_CACHED = 1000
_JSON = re.compile(r"application/(?:[!#$&^_.+a-z0-9-]+\+)?json")

logger = structlog.get_logger()


class Fetching(Protocol):
    """The guarded fetcher, as far as documents need it."""

    async def get(
        self, uri: str, parse: Callable[[FetchedBody], DocumentCopy], most: int
    ) -> DocumentCopy: ...


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Limits of fetches for clients that nobody uses yet, by host and altogether."""

    of_host: RateLimiter
    of_all: RateLimiter

    def take(self, host: str, now: datetime) -> timedelta | None:
        """Count a fetch, or return how long to wait."""
        return self.of_host.take(host, now) or self.of_all.take("", now)


class DescribedClients:
    """The clients that documents describe.

    A document is fetched by one process at a time, and its copy is shared. Failures are never cached: the
    fetcher backs off for some seconds, and a client that people use goes on with the last copy.
    """

    def __init__(
        self, allowed: Capabilities, copies: DocumentCopies, fetcher: Fetching, limits: DocumentLimits
    ) -> None:
        self._allowed = allowed
        self._copies = copies
        self._fetcher = fetcher
        self._limits = limits
        self._cached: OrderedDict[str, DocumentCopy] = OrderedDict()
        self._loading: dict[str, asyncio.Task[DocumentCopy]] = {}

    async def get(self, client_id: str, *, is_used: bool) -> Client:
        """The client as its document describes it. *is_used*: people use it, so that it is stored.

        Raises InvalidRequest, TemporarilyUnavailable, TooManyRequests, Unavailable.
        """
        copy = self._cached.get(client_id)
        if copy is None or not _is_fresh(copy):
            copy = await self._loaded(client_id, is_used=is_used)
            self._cached[client_id] = copy
            self._cached.move_to_end(client_id)
            if len(self._cached) > _MAX_CACHED:
                self._cached.popitem(last=False)
        try:
            return read_document(client_id, copy.text, self._allowed)
        except BadDocument as fault:
            raise _unusable(client_id, str(fault)) from None

    async def _loaded(self, client_id: str, *, is_used: bool) -> DocumentCopy:
        """As `_load`, once for all who wait in this process."""
        if (task := self._loading.get(client_id)) is None:
            task = self._loading[client_id] = asyncio.create_task(self._load(client_id, is_used=is_used))
            task.add_done_callback(lambda _: self._loading.pop(client_id, None))
        return await asyncio.shield(task)

    async def _load(self, client_id: str, *, is_used: bool) -> DocumentCopy:
        """A fresh copy: another process's, or a new one. Raises as `get`."""
        key = document_key(client_id)
        end = asyncio.get_running_loop().time() + _CLAIMED_FOR.total_seconds()
        copy = await self._copies.find(key)
        if copy and _is_fresh(copy):
            return copy
        if not is_used:
            self._count(client_id)
        while not await self._copies.claim(key, _CLAIMED_FOR):
            if asyncio.get_running_loop().time() > end:
                raise TemporarilyUnavailable("the client's document is being fetched")
            await asyncio.sleep(_POLLED_EVERY)
            copy = await self._copies.find(key)
            if copy and _is_fresh(copy):
                return copy
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
        """Raises TooManyRequests."""
        if wait := self._limits.take((urlsplit(client_id).hostname or "").lower(), clock.now()):
            raise TooManyRequests("too many new clients are being described", wait)

    async def _fetched(self, client_id: str, key: bytes) -> DocumentCopy:
        """A new copy, which other processes find. Raises FetchFailed, Unavailable."""

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


def _is_fresh(copy: DocumentCopy) -> bool:
    return clock.now() < copy.fresh_until


def _unusable(client_id: str, fault: str) -> InvalidRequest:
    description = f"client_id names a document that cannot be used: {fault}"
    return InvalidRequest(description, detail=Reason.DOCUMENT, client_id=client_id)
