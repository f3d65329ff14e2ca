"""The pushed authorization request endpoint: RFC 9126 §2. Authenticate, validate, store, answer."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from aiohttp import web

from services.authorization.request.parameter_source import EffectiveParameters, ParameterSource
from services.authorization.request.parameters.known import SINGLE
from services.authorization.request.pushed_request import LIFETIME, PushedRequest, known_of, request_uri_of
from services.authorization.request.reader import RequestReader
from services.authorization.request.storage_limits import StorageLimits
from services.authorization.request.validated_request import RedirectableError
from shared.issuing.client_authentication import ClientAuthentication
from shared.live import clock
from shared.live.randomness import new_handle
from shared.oauth.errors import InvalidClient, InvalidRequest, OAuthError, TooManyRequests
from shared.oauth.tokens.handle import Kind, digest
from shared.server.metrics import count_event
from shared.store import PushedRequests
from shared.web.answers import error_answer, json_answer
from shared.web.client import note_client
from shared.web.form import authorization_header, form
from shared.web.forwarded import client_address

CREATED = 201


@dataclass(frozen=True, slots=True)
class Push:
    """The endpoint's collaborators."""

    reader: RequestReader
    source: ParameterSource
    authentication: ClientAuthentication
    pushed_requests: PushedRequests
    limits: StorageLimits
    interaction_lifetime: timedelta

    async def post(self, request: web.Request) -> web.Response:
        """Store a valid request and answer with its `request_uri`: RFC 9126 §2.2."""
        try:
            return await self._store(request)
        except RedirectableError as redirectable:  # the caller is the client itself
            raise redirectable.error from None

    async def _store(self, request: web.Request) -> web.Response:
        fields, now = await form(request), clock.now()
        fields.refuse_repeated(SINGLE)
        address = partial(client_address, request)
        client = await self.authentication.client(authorization_header(request), fields, address, now)
        note_client(request, client)
        if "request_uri" in fields:  # RFC 9126 §2.1
            raise InvalidRequest("request_uri cannot be pushed")
        parameters = known_of(await self.source.of_pushed_request(fields, client), client.client_id)
        await self.reader.validate_new(request, client, EffectiveParameters(parameters))
        if wait := self.limits.pushed_request(client, parameters, address, now):
            raise TooManyRequests("too many requests are stored already", wait)
        handle = new_handle(Kind.PUSHED_REQUEST)
        pushed = PushedRequest(client.client_id, parameters, now + LIFETIME, client.epoch)
        lifetime = LIFETIME + self.interaction_lifetime
        await self.pushed_requests.add(digest(handle), pushed.to_json(), lifetime)
        count_event("pushed_request")
        members = {"request_uri": request_uri_of(handle), "expires_in": int(LIFETIME.total_seconds())}
        return json_answer(members, status=CREATED)


def pushed_request_error(_: web.Request, error: OAuthError) -> web.Response:
    """The error response, like that of the token endpoint: RFC 9126 §2.3."""
    challenge = {"WWW-Authenticate": 'Basic realm="ostiary"'} if isinstance(error, InvalidClient) else None
    return error_answer(error, headers=challenge)
