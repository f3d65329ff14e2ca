"""Access tokens: their content, and its claims as a JWT (RFC 9068). Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.model import Authentication, Scope
from shared.oauth.sender.sender import UNBOUND, Sender, UnknownConfirmation, sender_of
from shared.oauth.tokens.jwt import SignedClaims

JWT_TYPE = "at+jwt"  # RFC 9068 §2.1


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """The content of an access token, opaque or JWT.

    `grant_id` is None for client_credentials. `aud`: its audiences. `sender`: who may use it.
    `client_epoch`: of an opaque token without a grant. `authentication`: its user's, of a JWT that is issued;
    of an opaque token the grant tells it.
    """

    token_id: UUID
    grant_id: UUID | None
    client_id: str
    sub: str
    scope: Scope
    aud: tuple[str, ...]
    iat: datetime
    exp: datetime
    sender: Sender = UNBOUND
    client_epoch: int | None = None
    authentication: Authentication | None = None


class NotAnAccessToken(Exception):
    """The value is malformed, altered, from another issuer, or a token of another kind."""


def to_claims(token: AccessToken, issuer: str) -> dict[str, Any]:
    """The claims of a JWT access token: RFC 9068 §2.2."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": token.sub,
        "aud": token.aud,
        "client_id": token.client_id,
        "scope": " ".join(token.scope),
        "iat": int(token.iat.timestamp()),
        "exp": int(token.exp.timestamp()),
        "jti": str(token.token_id),
    }
    if token.grant_id:
        claims["grant_id"] = str(token.grant_id)
    if token.authentication:
        claims |= authentication_claims(token.authentication)
    if cnf := token.sender.cnf:
        claims["cnf"] = cnf
    return claims


def authentication_claims(authentication: Authentication) -> dict[str, Any]:
    """How and when the user authenticated: RFC 9068 §2.2.1, RFC 9470 §6."""
    return {
        "auth_time": int(authentication.auth_time.timestamp()),
        "acr": authentication.acr,
        "amr": authentication.amr,
    }


def from_claims(claims: SignedClaims, issuer: str) -> AccessToken:
    """The content of a JWT access token of this server, expired or not. Raises NotAnAccessToken."""
    try:
        if claims["iss"] != issuer:
            raise NotAnAccessToken
        grant_id: str | None = claims.get("grant_id")
        scope: Scope = tuple(claims["scope"].split())
        return AccessToken(
            token_id=UUID(claims["jti"]),
            grant_id=UUID(grant_id) if grant_id else None,
            client_id=claims["client_id"],
            sub=claims["sub"],
            scope=scope,
            aud=tuple(claims["aud"]),
            iat=datetime.fromtimestamp(claims["iat"], UTC),
            exp=datetime.fromtimestamp(claims["exp"], UTC),
            sender=sender_of(claims.get("cnf")),
        )
    except (UnknownConfirmation, KeyError, TypeError, ValueError, AttributeError):
        raise NotAnAccessToken from None
