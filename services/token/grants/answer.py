"""The token response: RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from services.token.grants.request import TokenRequest
from shared.issuing.tokens import IssuedAccessToken, TokenIssuer
from shared.model import Authorization, Scope, User
from shared.oauth.resource.target import AccessTokenTarget
from shared.oauth.scope import OPENID
from shared.oauth.tokens.jwe import Recipient

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class IssuedRefreshToken:
    """A refresh token, the time for which it may stay unused, and the end of its grant."""

    value: str = field(repr=False)
    idle: timedelta
    expires_at: datetime

    def members(self, now: datetime) -> Answer:
        """RFC 6749 §5.1, with the lifetimes of draft-ietf-oauth-refresh-token-expiration in seconds."""
        left = max(self.expires_at - now, timedelta())
        return {
            "refresh_token": self.value,
            "refresh_token_timeout": int(min(self.idle, left).total_seconds()),
            "authorization_expires_in": int(left.total_seconds()),
        }


class UserGrant(NamedTuple):
    """A grant, and what one request gets of it. `target` and `scope` are those of the access token.

    `recipient`: from `Encryption.of_id_token`. `nonce`: only for the ID token that answers an authorization
    request (OpenID Connect Core 1.0 §12.2).
    """

    grant_id: UUID
    user: User
    authorization: Authorization
    target: AccessTokenTarget
    scope: Scope
    recipient: Recipient | None
    nonce: str | None = None
    refresh_token: IssuedRefreshToken | None = None


def access_token_alone(access_token: IssuedAccessToken, scope: Scope) -> Answer:
    """An answer with no other token."""
    return {
        "access_token": access_token.value,
        "token_type": access_token.token_type,
        "expires_in": access_token.expires_in,
        "scope": " ".join(scope),
    }


def tokens_of_user(request: TokenRequest, tokens: TokenIssuer, grant: UserGrant) -> Answer:
    """An access token, an ID token if the scope has openid, and the refresh token if there is one.

    Raises InvalidScope, Unavailable.
    """
    access_token = _access_token(request, tokens, grant)
    answer = access_token_alone(access_token, grant.scope)
    if OPENID in grant.scope:
        answer["id_token"] = _id_token(request, tokens, grant, access_token.value)
    if grant.refresh_token is not None:
        answer |= grant.refresh_token.members(request.now)
    return answer


def _access_token(request: TokenRequest, tokens: TokenIssuer, grant: UserGrant) -> IssuedAccessToken:
    return tokens.access_token(
        request.client,
        tokens.sub(grant.user.user_id, request.client),
        grant.scope,
        grant.grant_id,
        request.now,
        sender=request.sender,
        target=grant.target,
        authentication=grant.authorization.authentication,
    )


def _id_token(request: TokenRequest, tokens: TokenIssuer, grant: UserGrant, access_token: str) -> str:
    return tokens.id_token(
        request.client,
        grant.authorization,
        grant.user,
        request.now,
        recipient=grant.recipient,
        scope=grant.scope,
        access_token=access_token,
        nonce=grant.nonce,
    )
