"""What users in their account, and operators for them, do with personal access tokens, over ports."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from shared.live.randomness import new_id, new_personal_access_token
from shared.oauth.errors import InvalidScope
from shared.oauth.tokens.handle import digest
from shared.oauth.tokens.personal_access_token import personal_scope
from shared.process.operator_error import OperatorError
from shared.store import PersonalAccessToken, PersonalAccessTokens, Stale
from shared.store.codecs.text import is_storable

MAX_TOKENS = 50  # of one user
MAX_TOKEN_NAME = 60


TokenFault = Literal["name", "scope", "lifetime", "number"]


class BadTokenRequest(OperatorError):
    """The name, the scope or the lifetime is invalid, or there are too many; the message says why."""

    def __init__(self, fault: TokenFault, message: str) -> None:
        super().__init__(message)
        self.fault: TokenFault = fault


class NoSuchToken(OperatorError):
    """The user has no token with that id."""

    template = "The user has no personal access token {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalTokenRequest:
    """A token that somebody asks for. `scope`: scope-tokens with spaces between them."""

    name: str
    scope: str
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made, and its value, which is shown once."""

    token: PersonalAccessToken
    value: str = field(repr=False)


def shown(token: PersonalAccessToken) -> dict[str, Any]:
    """A token as its user and operators see it."""
    return {
        "token_id": str(token.token_id),
        "name": token.name,
        "scope": " ".join(token.scope),
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
    }


def checked_token(request: PersonalTokenRequest, longest: timedelta, now: datetime) -> PersonalAccessToken:
    """The requested token. Raises BadTokenRequest."""
    name = request.name.strip()
    if not name or len(name) > MAX_TOKEN_NAME or not name.isprintable() or not is_storable(name):
        raise BadTokenRequest("name", f"the name of a token has 1 to {MAX_TOKEN_NAME} visible characters")
    if request.lifetime > longest:
        raise BadTokenRequest("lifetime", f"a token lives at most {longest.days} days here")
    try:
        scope = personal_scope(request.scope)
    except InvalidScope as error:
        raise BadTokenRequest("scope", str(error)) from None
    return PersonalAccessToken(
        token_id=new_id(), name=name, scope=scope, created_at=now, expires_at=now + request.lifetime
    )


async def add_token(
    tokens: PersonalAccessTokens, user_id: UUID, epoch: int, token: PersonalAccessToken
) -> NewToken:
    """Add a token of `checked_token` for a user of this `epoch`.

    Raises BadTokenRequest if the user has too many, and Stale if everything of the user has just ended.
    """
    if len(await tokens.of_user(user_id)) >= MAX_TOKENS:
        raise BadTokenRequest("number", f"a user has at most {MAX_TOKENS} personal access tokens")
    value = new_personal_access_token()
    if not await tokens.add(user_id, epoch, token, digest(value)):
        raise Stale("The user")
    return NewToken(token, value)


async def revoke_token(tokens: PersonalAccessTokens, user_id: UUID, token_id: UUID) -> None:
    """Revoke a token of the user. Raises NoSuchToken."""
    if not await tokens.revoke(user_id, token_id):
        raise NoSuchToken(str(token_id))
