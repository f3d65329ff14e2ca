"""Ports: clients whose client_id is the URL of their metadata."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.oauth.client.record import Client


@dataclass(frozen=True, slots=True)
class DocumentCopy:
    """The text of a document, and when it is to be fetched again."""

    text: str
    fresh_until: datetime


class DocumentCopies(Protocol):
    """Copies of documents that every process shares, by the digest of their URL. Redis."""

    async def find(self, key: bytes) -> DocumentCopy | None:
        """The last good copy, fresh or not."""

    async def add(self, key: bytes, copy: DocumentCopy, lifetime: timedelta) -> None: ...

    async def claim(self, key: bytes, lifetime: timedelta) -> bool:
        """Whether the caller fetches now. Nobody else does until `release`, or for *lifetime*."""

    async def release(self, key: bytes) -> None: ...


class ClientDocuments(Protocol):
    """The clients of documents, and those that operators have approved. PostgreSQL."""

    async def keep(self, client: Client) -> None:
        """Add the client if it is not there, and note that a user has agreed to it."""

    async def expire(self, unused_for: timedelta) -> Sequence[str]:
        """Delete clients without a live grant to which nobody has agreed for so long; which they were.

        Some at a time. Disabled clients stay: an operator decided on them.
        """

    async def approve(self, client_id: str) -> bool:
        """False: it was approved before."""

    async def withdraw(self, client_id: str) -> bool:
        """Withdraw an approval. False: there was none."""

    async def is_approved(self, client_id: str) -> bool: ...
