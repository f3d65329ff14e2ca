"""The userinfo endpoint: OpenID Connect Core 1.0 §5.3, RFC 6750."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from services.token.endpoints.jwt_responses import JwtResponses, jwt_response
from services.token.endpoints.personal_access_tokens import (
    PersonalCredentials,
    personal_credentials,
    required,
)
from shared.config.settings import Settings
from shared.live import clock
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS
from shared.oauth.claims import Claims, personal_claims, takes_memberships, userinfo_claims
from shared.oauth.client.record import Client
from shared.oauth.errors import InsufficientScope, InvalidToken
from shared.oauth.resource.demand import AuthenticationDemand
from shared.oauth.resource.own import userinfo_resource
from shared.oauth.scope import OPENID
from shared.oauth.tokens.access_token import AccessToken
from shared.server.log.refusal import log_refusal
from shared.store import PersonalAccessTokens
from shared.web.answers import json_answer
from shared.web.bearer import (
    Credentials,
    NoCredentials,
    ResourceServer,
    bare_challenge,
    check_scope,
    credentials,
    described_at,
)
from shared.web.client import note_client


def check_token(token: AccessToken) -> None:
    """Raises InsufficientScope: the token does not give access to a user's claims."""
    check_scope(token, OPENID)
    if token.grant_id is None:
        description = "the access token was issued to a client for itself"
        raise InsufficientScope(description, scope=OPENID, client_id=token.client_id)


def userinfo_metadata(settings: Settings) -> str | None:
    """The URI of the endpoint's protected resource metadata, for challenges."""
    return described_at(settings, userinfo_resource(settings.issuer))


def userinfo_demand(settings: Settings) -> AuthenticationDemand:
    """Where everybody needs a second factor, older sign-ins without one give access to no claims."""
    return AuthenticationDemand((ACR_MULTIPLE_FACTORS,) if settings.second_factor == "required" else ())


@dataclass(frozen=True, slots=True)
class UserinfoEndpoint:
    """Collaborators of the userinfo endpoint."""

    guard: ResourceServer
    demand: AuthenticationDemand
    jwt_responses: JwtResponses
    personal_access_tokens: PersonalAccessTokens
    resource_metadata: str | None

    async def verify(self, presented: Credentials, now: datetime) -> tuple[AccessToken, Client]:
        """The access token and its client. Raises InvalidToken, InsufficientScope, Unavailable."""
        token, client = await self.guard.verify(presented, now)
        check_token(token)
        return token, client

    async def claims(self, token: AccessToken, client: Client, now: datetime) -> Claims:
        """The claims that the token releases.

        Raises InvalidToken, InsufficientUserAuthentication, Unavailable.
        """
        owner = await self.guard.access_tokens.find_user(token, with_groups=takes_memberships(client))
        if owner is None:
            raise InvalidToken("the access token is not valid")
        self.demand.check(owner.authentication, now, client.client_id)
        return userinfo_claims(owner.user, token.sub, token.scope, owner.requested, client)

    async def claims_for_user(self, presented: PersonalCredentials) -> Claims:
        """The claims that a personal access token releases, which no client asks for.

        Raises InvalidToken, InsufficientScope, Unavailable.
        """
        valid = await required(self.personal_access_tokens, presented)
        if OPENID not in valid.token.scope:
            raise InsufficientScope(f"the personal access token lacks scope {OPENID}", scope=OPENID)
        return personal_claims(valid.user, valid.token.scope)


USERINFO_ENDPOINT = web.AppKey("USERINFO_ENDPOINT", UserinfoEndpoint)


async def userinfo(request: web.Request) -> web.Response:
    """Answer with the claims that the access token releases, as JSON or as a JWT."""
    endpoint, presented = request.app[USERINFO_ENDPOINT], await credentials(request)
    if personal := personal_credentials(request, presented):
        return json_answer(await endpoint.claims_for_user(personal))
    if presented is None:
        log_refusal(request, NoCredentials("a bearer token is needed"))
        return bare_challenge(endpoint.resource_metadata)
    now = clock.now()
    token, client = await endpoint.verify(presented, now)
    note_client(request, client)
    claims = await endpoint.claims(token, client, now)
    if protected := await endpoint.jwt_responses.userinfo(client, claims, now):
        return jwt_response(protected, "application/jwt")
    return json_answer(claims)
