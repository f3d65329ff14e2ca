"""The token endpoint: RFC 6749 §3.2. Authenticate, dispatch, answer."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from services.token.client_uses import NotedUses
from services.token.grants import GRANTS
from services.token.grants.answer import Answer
from services.token.grants.collaborators import Collaborators
from shared.client_authentication import ClientAuthentication
from shared.live import clock
from shared.model import Client
from shared.oauth.errors import UnauthorizedClient, UnsupportedGrantType
from shared.oauth.parameters import Parameters
from shared.web.answers import json_answer
from shared.web.cors import note_origins
from shared.web.form import authorization_header, form
from shared.web.metrics import count_event


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Collaborators of the token endpoint."""

    authentication: ClientAuthentication
    collaborators: Collaborators
    uses: NotedUses

    async def issue(self, client: Client, asked: Parameters, now: datetime) -> Answer:
        """The answer to an authenticated client. Raises OAuthError, Unavailable."""
        grant_type = asked.require("grant_type")
        grant = GRANTS.get(grant_type)
        if grant is None:
            raise UnsupportedGrantType("this grant_type is not supported")
        if grant_type not in client.grant_types:
            raise UnauthorizedClient("the client is not registered for this grant_type")
        answer = await grant(self.collaborators, client, asked, now)
        self.uses.note(client)
        count_event("token_issued", grant_type)
        return answer


TOKEN_ENDPOINT = web.AppKey("TOKEN_ENDPOINT", TokenEndpoint)


async def token(request: web.Request) -> web.Response:
    endpoint, now, asked = request.app[TOKEN_ENDPOINT], clock.now(), await form(request)
    asked.refuse_repeated()
    client = await endpoint.authentication.client(authorization_header(request), asked, now)
    note_origins(request, client.allowed_cors_origins)
    return json_answer(await endpoint.issue(client, asked, now))
