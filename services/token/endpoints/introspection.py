"""The introspection endpoint: RFC 7662."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web

from services.token.endpoints.jwt_responses import INTROSPECTION_TYPE, JwtAnswers, jwt_answer
from shared.config.settings import Settings
from shared.issuing.access_tokens import AccessTokens
from shared.issuing.client_authentication import ClientAuthentication
from shared.issuing.tokens import TokenIssuer
from shared.live import clock
from shared.live.rate_limiter import RateLimiter
from shared.oauth.client.authentication import refused
from shared.oauth.client.record import Client
from shared.oauth.errors import TooManyRequests
from shared.oauth.tokens.access_token import AccessToken
from shared.oauth.tokens.refresh_token import RefreshToken, parse_refresh_token
from shared.store import RefreshFamilies
from shared.web.answers import json_answer
from shared.web.form import authorization_header, form
from shared.web.forwarded import client_address

Description = dict[str, Any]

INACTIVE: Description = {"active": False}


def may_introspect(client: Client, token: AccessToken) -> bool:
    """The client that it was issued to, one that is its audience, or one that answers for an audience."""
    return (
        client.client_id == token.client_id
        or client.client_id in token.aud
        or not set(client.resource_identifiers).isdisjoint(token.aud)
    )


def described(token: AccessToken, issuer: str) -> Description:
    """RFC 7662 §2.2, of a token that holds; `cnf` as RFC 8705 §3.2 and RFC 9449 §6.2 have it."""
    confirmation = {"cnf": cnf} if (cnf := token.sender.cnf) else {}
    return {
        "active": True,
        "iss": issuer,
        "sub": token.sub,
        "aud": token.aud,
        "client_id": token.client_id,
        "scope": " ".join(token.scope),
        "token_type": token.sender.token_type,
        "iat": int(token.iat.timestamp()),
        "exp": int(token.exp.timestamp()),
        "jti": str(token.token_id),
        **confirmation,
    }


def wants_jwt(accept: Sequence[str]) -> bool:
    """RFC 9701 §4: whether the Accept headers name the JWT form of the answer."""
    ranges = (part.partition(";")[0].strip() for value in accept for part in value.split(","))
    return any(named.lower() == INTROSPECTION_TYPE for named in ranges)


@dataclass(frozen=True, slots=True)
class IntrospectionEndpoint:
    """Collaborators of the introspection endpoint."""

    authentication: ClientAuthentication
    access_tokens: AccessTokens
    refresh_families: RefreshFamilies
    jwt_answers: JwtAnswers
    settings: Settings
    tokens: TokenIssuer
    unknown_tokens: RateLimiter

    async def describe(self, client: Client, value: str, now: datetime) -> Description:
        """What *client* may know of a token: of one that is not its business no more than of none.

        Raises InvalidClient: a public client cannot ask. Raises TooManyRequests: it is guessing.
        Raises Unavailable.
        """
        if client.is_public:
            raise refused("a public client introspects nothing")
        if presented := parse_refresh_token(value):
            return await self._refresh_token(client, presented, now)
        token = await self.access_tokens.open(value)
        if token is None:
            self._count_unknown(client, now)
            return INACTIVE
        if token.exp <= now or not may_introspect(client, token):
            return INACTIVE
        return described(token, self.settings.issuer) if await self.access_tokens.holds(token) else INACTIVE

    def _count_unknown(self, client: Client, now: datetime) -> None:
        if wait := self.unknown_tokens.take(client.client_id, now):
            raise TooManyRequests("too many tokens that do not exist", wait)

    async def _refresh_token(self, client: Client, presented: RefreshToken, now: datetime) -> Description:
        grant = await self.refresh_families.find(
            presented.family_hash, presented.hash, self.settings.refresh_token_reuse_window
        )
        if grant is None:
            self._count_unknown(client, now)
            return INACTIVE
        if grant.authorization.client_id != client.client_id:
            return INACTIVE
        return {
            "active": True,
            "iss": self.settings.issuer,
            "sub": self.tokens.sub(grant.user.user_id, client),
            "client_id": client.client_id,
            "scope": " ".join(grant.authorization.scope),
            "exp": int(grant.expires_at.timestamp()),
        }


INTROSPECTION_ENDPOINT = web.AppKey("INTROSPECTION_ENDPOINT", IntrospectionEndpoint)


async def introspect(request: web.Request) -> web.Response:
    endpoint, now, asked = request.app[INTROSPECTION_ENDPOINT], clock.now(), await form(request)
    asked.refuse_repeated(["token", "token_type_hint"])
    address = partial(client_address, request)
    client = await endpoint.authentication.client(authorization_header(request), asked, address, now)
    description = await endpoint.describe(client, asked.require("token"), now)
    if wants_jwt(request.headers.getall("Accept", [])):
        signed = await endpoint.jwt_answers.introspection(client, description, now)
        return jwt_answer(signed, INTROSPECTION_TYPE)
    return json_answer(description)
