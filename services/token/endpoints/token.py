"""The token endpoint: RFC 6749 §3.2. Authenticate, dispatch, answer."""

from dataclasses import dataclass
from functools import partial

from aiohttp import web

from services.token.client_uses import UsedClients
from services.token.grants import GRANTS
from services.token.grants.answer import Answer
from services.token.grants.collaborators import Collaborators
from services.token.grants.request import TokenRequest
from shared.issuing.client_authentication import ClientAuthentication
from shared.live import clock
from shared.live.resource_cache import ResourceCache
from shared.oauth.errors import UnauthorizedClient, UnsupportedGrantType
from shared.oauth.refusal import Detail, Reason
from shared.oauth.sender.sender import UNBOUND
from shared.server.metrics import count_event
from shared.web.answers import json_answer
from shared.web.client import note_client
from shared.web.form import authorization_header, form
from shared.web.forwarded import client_address
from shared.web.request_age import MAX_AGE, is_abandoned, request_age, time_since_complete

KNOWN = frozenset(
    {"code", "code_verifier", "device_code", "grant_type", "redirect_uri", "refresh_token", "scope"}
)
"""Parameters that must not be repeated, whether the grant reads them or not: all but `resource`."""


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Collaborators of the token endpoint."""

    authentication: ClientAuthentication
    collaborators: Collaborators
    uses: UsedClients
    resources: ResourceCache

    async def issue(self, request: TokenRequest) -> Answer:
        """The answer to an authenticated client. Raises OAuthError, Unavailable."""
        client, grant_type = request.client, request.parameters.require("grant_type")
        grant = GRANTS.get(grant_type)
        if grant is None:
            detail = Detail.of_value(Reason.GRANT_TYPE_UNSUPPORTED, grant_type)
            raise UnsupportedGrantType("this grant_type is not supported", detail=detail)
        if grant_type not in client.grant_types:
            detail = Detail.of_value(Reason.GRANT_TYPE, grant_type, client.grant_types)
            raise UnauthorizedClient("the client is not registered for this grant_type", detail=detail)
        answer = await grant(request, self.collaborators)
        self.uses.note(client)
        count_event("token_issued", grant_type)
        return answer


TOKEN_ENDPOINT = web.AppKey("TOKEN_ENDPOINT", TokenEndpoint)


async def token(request: web.Request) -> web.Response:
    endpoint, now, parameters = request.app[TOKEN_ENDPOINT], clock.now(), await form(request)
    parameters.refuse_repeated(KNOWN)
    address = partial(client_address, request)
    client = await endpoint.authentication.client(authorization_header(request), parameters, address, now)
    note_client(request, client)
    moment = clock.monotonic()
    token_request = TokenRequest(
        client=client,
        parameters=parameters,
        sender=UNBOUND,
        resources=await endpoint.resources.naming(parameters.all("resource")),
        now=now,
        completed_at=moment - time_since_complete(request).total_seconds(),
        deadline=moment + (MAX_AGE - request_age(request)).total_seconds(),
        is_abandoned=partial(is_abandoned, request),
    )
    return json_answer(await endpoint.issue(token_request))
