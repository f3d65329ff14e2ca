"""The introspection endpoint: RFC 7662."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from aiohttp import web

from services.token.endpoints.jwt_responses import INTROSPECTION_TYPE, JwtResponses, jwt_response
from services.token.endpoints.personal_access_tokens import present
from shared.config.settings import Settings
from shared.issuing.access_tokens import AccessTokens
from shared.issuing.client_authentication import ClientAuthentication
from shared.issuing.tokens import TokenIssuer
from shared.live import clock
from shared.live.rate_limiter import RateLimiter
from shared.live.resource_cache import ResourceCache
from shared.model import Scope
from shared.oauth.client.admission import is_admitted
from shared.oauth.client.authentication import refused
from shared.oauth.client.record import Client
from shared.oauth.errors import TooManyRequests
from shared.oauth.resource.registry import ResourceRegistry
from shared.oauth.sender.sender import UNBOUND
from shared.oauth.tokens.access_token import AccessToken, authentication_claims
from shared.oauth.tokens.personal_access_token import PREFIX
from shared.oauth.tokens.refresh_token import RefreshToken, parse_refresh_token
from shared.store import PersonalAccessTokens, RefreshFamilies, TokenOwner
from shared.web.answers import json_answer
from shared.web.client import note_client
from shared.web.form import authorization_header, form
from shared.web.forwarded import client_address

Description = dict[str, Any]

INACTIVE: Description = {"active": False}


def may_introspect(client: Client, token: AccessToken, resources: ResourceRegistry) -> bool:
    """Whether the token was issued to the client, or is for it or for a resource that it introspects for."""
    return (
        client.client_id == token.client_id
        or client.client_id in token.aud
        or not set(client.resource_identifiers).isdisjoint(token.aud)
        or resources.introspectable_by(client.client_id, token.aud)
    )


def username_member(user_id: UUID | None, username: str | None, sub: str, scope: Scope) -> Description:
    """The member `username`: RFC 7662 §2.2. Empty for a token without a user.

    A pairwise `sub` (OpenID Connect Core 1.0 §8.1) keeps services from recognising the same user, and a user
    name would defeat it. With a pairwise `sub` the member needs scope `profile`, which releases the name.
    """
    is_released = username is not None and (sub == str(user_id) or "profile" in scope)
    return {"username": username} if is_released else {}


def active_token(token: AccessToken, owner: TokenOwner, issuer: str) -> Description:
    """The description of a valid access token: RFC 7662 §2.2, `cnf` by RFC 8705 §3.2 and RFC 9449 §6.2.

    `acr` and `auth_time` by RFC 9470 §6.2.
    """
    confirmation = {"cnf": cnf} if (cnf := token.sender.cnf) else {}
    authentication = authentication_claims(owner.authentication) if owner.authentication else {}
    return {
        "active": True,
        "iss": issuer,
        "sub": token.sub,
        **username_member(owner.user_id, owner.username, token.sub, token.scope),
        "aud": token.aud,
        "client_id": token.client_id,
        "scope": " ".join(token.scope),
        "token_type": token.sender.token_type,
        "iat": int(token.iat.timestamp()),
        "exp": int(token.exp.timestamp()),
        "jti": str(token.token_id),
        **authentication,
        **confirmation,
    }


def wants_jwt(accept: Sequence[str]) -> bool:
    """Whether the Accept headers name the JWT form of the response: RFC 9701 §4."""
    ranges = (part.partition(";")[0].strip() for value in accept for part in value.split(","))
    return any(media_range.lower() == INTROSPECTION_TYPE for media_range in ranges)


@dataclass(frozen=True, slots=True)
class IntrospectionEndpoint:
    """Collaborators of the introspection endpoint."""

    authentication: ClientAuthentication
    access_tokens: AccessTokens
    refresh_families: RefreshFamilies
    personal_access_tokens: PersonalAccessTokens
    jwt_responses: JwtResponses
    settings: Settings
    tokens: TokenIssuer
    unknown_tokens: RateLimiter
    resources: ResourceCache

    async def describe(self, client: Client, value: str, now: datetime) -> Description:
        """The description of a token for *client*: inactive if the token is for somebody else.

        Raises InvalidClient for a public client, and TooManyRequests for a client that guesses tokens. Raises
        Unavailable.
        """
        if client.is_public:
            raise refused("a public client may not introspect tokens")
        if value.startswith(PREFIX):
            return await self._personal_access_token(client, value, now)
        if presented := parse_refresh_token(value):
            return await self._refresh_token(client, presented, now)
        token = await self.access_tokens.open(value)
        if token is None:
            self._count_unknown(client, now)
            return INACTIVE
        if token.exp <= now or not may_introspect(client, token, self.resources.known):
            return INACTIVE
        owner = await self.access_tokens.find_owner(token)
        return active_token(token, owner, self.settings.issuer) if owner else INACTIVE

    def _count_unknown(self, client: Client, now: datetime) -> None:
        if wait := self.unknown_tokens.take(client.client_id, now):
            raise TooManyRequests("too many unknown tokens", wait)

    async def _personal_access_token(self, client: Client, value: str, now: datetime) -> Description:
        if not client.allow_personal_access_tokens:
            return INACTIVE
        with_groups = bool(client.allowed_groups)
        presented = await present(self.personal_access_tokens, value, with_groups=with_groups)
        if presented is None:
            self._count_unknown(client, now)
            return INACTIVE
        token, user = presented.token, presented.user
        if not is_admitted(client, user.groups):
            return INACTIVE
        sub = self.tokens.sub(user.user_id, client)
        return {
            "active": True,
            "iss": self.settings.issuer,
            "sub": sub,
            **username_member(user.user_id, user.username, sub, token.scope),
            "scope": " ".join(token.scope),
            "token_type": UNBOUND.token_type,
            "iat": int(token.created_at.timestamp()),
            "exp": int(token.expires_at.timestamp()),
            "jti": str(token.token_id),
        }

    async def _refresh_token(self, client: Client, presented: RefreshToken, now: datetime) -> Description:
        grant = await self.refresh_families.find(
            presented.family_hash, presented.hash, self.settings.refresh_token_reuse_window
        )
        if grant is None:
            self._count_unknown(client, now)
            return INACTIVE
        if grant.authorization.client_id != client.client_id:
            return INACTIVE
        user, scope = grant.user, grant.authorization.scope
        sub = self.tokens.sub(user.user_id, client)
        return {
            "active": True,
            "iss": self.settings.issuer,
            "sub": sub,
            **username_member(user.user_id, user.username, sub, scope),
            "client_id": client.client_id,
            "scope": " ".join(scope),
            "exp": int(grant.expires_at.timestamp()),
        }


INTROSPECTION_ENDPOINT = web.AppKey("INTROSPECTION_ENDPOINT", IntrospectionEndpoint)


async def introspect(request: web.Request) -> web.Response:
    endpoint, now, parameters = request.app[INTROSPECTION_ENDPOINT], clock.now(), await form(request)
    parameters.refuse_repeated(["token", "token_type_hint"])
    address = partial(client_address, request)
    client = await endpoint.authentication.client(authorization_header(request), parameters, address, now)
    note_client(request, client)
    description = await endpoint.describe(client, parameters.require("token"), now)
    if wants_jwt(request.headers.getall("Accept", [])):
        signed = await endpoint.jwt_responses.introspection(client, description, now)
        return jwt_response(signed, INTROSPECTION_TYPE)
    return json_answer(description)
