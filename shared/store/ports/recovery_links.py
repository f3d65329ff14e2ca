"""Ports: links by which somebody who cannot sign in sets a new password."""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from shared.model import Json, User
from shared.store.ports.sessions import Kept


class RecoveryLinks(Protocol):
    """Recovery links, by the digests of their handles. PostgreSQL.

    A link works once, and no longer than its user keeps their epoch: not after a change of the password, and
    not for a user who is disabled or was deleted. Making and using one is audited.
    """

    async def add(self, link_hash: bytes, user_id: UUID, lifetime: timedelta, detail: Json) -> bool:
        """Add a link; *detail* is for the audit row. False: the user is disabled, or does not exist."""

    async def find(self, link_hash: bytes) -> User | None:
        """The user of a link that works. Nothing is spent."""

    async def set_password(
        self, link_hash: bytes, user_id: UUID, password_hash: str, kept: Kept | None = None
    ) -> bool:
        """Spend a link of the user, and set their password as `UserCredentials` does, in one transaction.

        False: the link does not work any more, and nothing has changed.
        """
