"""Ports: personal access tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.model import Scope, User

TOKEN_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalAccessToken:
    """What is known of a token: not the token itself.

    `last_used_at` is exact to TOKEN_USE_NOTED_EVERY; None: it was never used.
    """

    token_id: UUID
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A valid token that somebody presents, and its user."""

    token: PersonalAccessToken
    user: User


class PersonalAccessTokens(Protocol):
    """Personal access tokens, by the digest of the token. PostgreSQL. Changes are audited.

    A token ends with its `expires_at`, when it is revoked, and with its user: where every session and grant
    of the user ends, so do the tokens.
    """

    async def add(self, user_id: UUID, epoch: int, token: PersonalAccessToken, token_hash: bytes) -> bool:
        """Add a token. False: the user was disabled or deleted, or their `epoch` has risen."""

    async def of_user(self, user_id: UUID) -> Sequence[PersonalAccessToken]:
        """The valid tokens of a user, the oldest first."""

    async def present(self, token_hash: bytes, *, with_groups: bool = False) -> PresentedToken | None:
        """A valid token; its use is noted in the same statement. The user's groups are read on request."""

    async def revoke(self, user_id: UUID, token_id: UUID) -> bool:
        """Revoke a token of the user. False: there is none."""
