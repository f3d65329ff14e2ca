"""The token response: RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.issuing.tokens import IssuedAccessToken, TokenIssuer
from shared.model import Authorization, Scope, User
from shared.oauth.client.record import Client
from shared.oauth.resource.target import AccessTokenTarget
from shared.oauth.scope import OPENID
from shared.oauth.sender.sender import Sender
from shared.oauth.tokens.jwe import Recipient

Answer = dict[str, Any]


def access_token_alone(access_token: IssuedAccessToken, scope: Scope) -> Answer:
    """An answer with no other token."""
    return {
        "access_token": access_token.value,
        "token_type": access_token.token_type,
        "expires_in": access_token.expires_in,
        "scope": " ".join(scope),
    }


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


def tokens_of_user(
    tokens: TokenIssuer,
    client: Client,
    *,
    target: AccessTokenTarget,
    grant_id: UUID,
    authorization: Authorization,
    user: User,
    scope: Scope,
    now: datetime,
    sender: Sender,
    recipient: Recipient | None,
    nonce: str | None = None,
    refresh: IssuedRefreshToken | None = None,
) -> Answer:
    """An access token for *target* with *scope*, an ID token if that has openid, and the refresh token."""
    sub = tokens.sub(user.user_id, client)
    access_token = tokens.access_token(
        client,
        sub,
        scope,
        grant_id,
        now,
        sender=sender,
        target=target,
        authentication=authorization.authentication,
    )
    answer = access_token_alone(access_token, scope)
    if OPENID in scope:
        answer["id_token"] = tokens.id_token(
            client,
            authorization,
            user,
            now,
            recipient=recipient,
            scope=scope,
            access_token=access_token.value,
            nonce=nonce,
        )
    if refresh is not None:
        answer |= refresh.members(now)
    return answer
