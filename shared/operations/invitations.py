"""Initial access tokens, which operators create (RFC 7591 §1.2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.live.randomness import new_handle
from shared.model import Author
from shared.oauth.tokens.handle import Kind, digest
from shared.store import InitialAccessTokens

MAX_USES = 100_000


@dataclass(frozen=True, slots=True)
class Invitation:
    """An initial access token, shown once."""

    token: str
    uses: int
    expires_at: datetime

    def members(self) -> dict[str, Any]:
        return {
            "initial_access_token": self.token,
            "uses": self.uses,
            "expires_at": self.expires_at.isoformat(),
        }


async def invite(
    tokens: InitialAccessTokens, uses: int, expires_at: datetime, *, by: Author | None = None
) -> Invitation:
    """Create a token for up to *uses* registrations until *expires_at*."""
    token = new_handle(Kind.INITIAL_ACCESS_TOKEN)
    await tokens.add(digest(token), uses, expires_at, by=by)
    return Invitation(token, uses, expires_at)
