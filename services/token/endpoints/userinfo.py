"""The userinfo endpoint: OpenID Connect Core 1.0 §5.3, RFC 6750."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from services.token.endpoints.errors import REALM
from services.token.endpoints.jwt_responses import JwtAnswers, jwt_answer
from shared.issuing.access_tokens import AccessTokens
from shared.live import clock
from shared.live.client_cache import ClientCache
from shared.model import AccessToken
from shared.oauth.claims import Claims, userinfo_claims
from shared.oauth.client.record import Client
from shared.oauth.errors import InsufficientScope, InvalidRequest, InvalidToken
from shared.oauth.scope import OPENID
from shared.web.answers import json_answer
from shared.web.cors import note_origins
from shared.web.form import FORM, authorization_header, form
from shared.web.headers import NO_STORE, SAFE


def check_token(token: AccessToken, issuer: str) -> None:
    """Whether a token is meant for this endpoint. Raises InvalidToken, InsufficientScope."""
    if issuer not in token.aud:
        raise InvalidToken("the access token is for another resource")
    if OPENID not in token.scope or token.grant_id is None:
        raise InsufficientScope("the access token has no scope openid")


@dataclass(frozen=True, slots=True)
class UserinfoEndpoint:
    """Collaborators of the userinfo endpoint."""

    issuer: str
    access_tokens: AccessTokens
    clients: ClientCache
    jwt_answers: JwtAnswers

    async def token(self, value: str, now: datetime) -> tuple[AccessToken, Client]:
        """The access token and its client. Raises InvalidToken, InsufficientScope, Unavailable."""
        token = await self.access_tokens.read(value, now)
        client = await self.clients.find(token.client_id) if token else None
        if token is None or client is None:
            raise InvalidToken("the access token does not hold")
        check_token(token, self.issuer)
        return token, client

    async def claims(self, token: AccessToken, client: Client) -> Claims:
        """What the token releases. Raises InvalidToken, Unavailable."""
        standing = await self.access_tokens.standing(token)
        if standing is None:
            raise InvalidToken("the access token does not hold")
        return userinfo_claims(standing.user, token.sub, token.scope, standing.requested, client)


USERINFO_ENDPOINT = web.AppKey("USERINFO_ENDPOINT", UserinfoEndpoint)


async def presented(request: web.Request) -> str | None:
    """The access token of a request: RFC 6750 §2.1 and §2.2, never in the query. Raises InvalidRequest."""
    header, in_body = authorization_header(request), None
    if request.method == "POST" and request.content_type == FORM:
        fields = await form(request)
        fields.refuse_repeated(["access_token"])
        in_body = fields["access_token"]
    scheme, _, in_header = (header or "").partition(" ")
    if scheme.lower() != "bearer":
        return in_body
    if in_body is not None:
        raise InvalidRequest("there is more than one access token")
    return in_header.strip()


async def userinfo(request: web.Request) -> web.Response:
    endpoint, value = request.app[USERINFO_ENDPOINT], await presented(request)
    if value is None:  # RFC 6750 §3.1: without a token, a bare challenge
        return web.Response(status=401, headers={**SAFE, **NO_STORE, "WWW-Authenticate": f"Bearer {REALM}"})
    now = clock.now()
    token, client = await endpoint.token(value, now)
    note_origins(request, client.allowed_cors_origins)
    claims = await endpoint.claims(token, client)
    if protected := await endpoint.jwt_answers.userinfo(client, claims, now):
        return jwt_answer(protected, "application/jwt")
    return json_answer(claims)
