"""Ports: e-mail addresses that users want, and the codes that were mailed there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from shared.store.ports.mails import NewMail

MAX_TRIES = 5
"""How often a code may be typed."""


class AddressCodes(Protocol):
    """One wanted address for each user. PostgreSQL.

    A code works until it is forgotten, no longer than its lifetime and its user's epoch, and no more after
    MAX_TRIES attempts.
    """

    async def put(
        self,
        user_id: UUID,
        address: str,
        code_hash: bytes,
        lifetime: timedelta,
        *,
        mails: Sequence[NewMail] = (),
    ) -> None:
        """Want an address, in place of another one, and queue *mails* in the same transaction."""

    async def pending_address(self, user_id: UUID) -> str | None:
        """The address whose code works."""

    async def check(self, user_id: UUID, code_hash: bytes) -> str | None:
        """Count an attempt. The address if the code is right. None: it is wrong or dead."""

    async def forget(self, user_id: UUID, code_hash: bytes) -> None:
        """Let a code work no more, once its address has been taken over."""
