"""Finds the parameters that count: of the request, of a request object in it, or of a pushed request."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.authorization.request.parameters.known import SINGLE
from services.authorization.request.pushed_request import PushedRequest, handle_of, is_pushed, opened
from services.authorization.request.request_object import header_of, read_object, unsigned_claims
from shared.config.settings import Settings
from shared.fetch import FetchFailed
from shared.live import clock
from shared.live.client_keys import ClientKeys, NoKeys
from shared.oauth.client.account import is_account_client
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest, InvalidRequestObject, InvalidRequestUri
from shared.oauth.parameters import Parameters
from shared.oauth.refusal import Detail, Reason
from shared.oauth.supported import UNSIGNED
from shared.oauth.tokens.handle import digest
from shared.oauth.tokens.jwt import BadJwt
from shared.store import PushedRequests

Fetch = Callable[[str], Awaitable[str]]
"""The text of the document at a URI. Raises FetchFailed."""


@dataclass(frozen=True, slots=True)
class EffectiveParameters:
    """The parameters that count. `pushed`: the digest of the handle of a pushed request, or None."""

    parameters: Parameters
    pushed: bytes | None = None


@dataclass(frozen=True, slots=True)
class ParameterSource:
    """Finds the parameters that count: RFC 9101 §5, RFC 9126 §4."""

    settings: Settings
    pushed_requests: PushedRequests
    keys: ClientKeys
    fetch: Fetch

    async def of_authorization_request(self, parameters: Parameters, client: Client) -> EffectiveParameters:
        """The parameters of a request of *client* to the authorization endpoint.

        Raises InvalidRequest, InvalidRequestObject, InvalidRequestUri, Unavailable.
        """
        parameters.refuse_repeated(SINGLE)
        request_uri = parameters.one("request_uri")
        if request_uri is not None and "request" not in parameters and is_pushed(request_uri):
            return await self._pushed(handle_of(request_uri), client)
        is_required = self.settings.require_pushed_authorization_requests and not is_account_client(client)
        if is_required or client.require_pushed_authorization_requests:
            raise InvalidRequest("requests must be pushed: RFC 9126", detail=Reason.PUSHED_REQUIRED)
        return EffectiveParameters(await self.of_pushed_request(parameters, client))

    async def of_pushed_request(self, parameters: Parameters, client: Client) -> Parameters:
        """The parameters of a request that has not been pushed. Raises as above."""
        token, request_uri = parameters.one("request"), parameters.one("request_uri")
        if token is not None and request_uri is not None:
            raise InvalidRequest("request and request_uri cannot be combined")
        if request_uri is not None:
            token = await self._fetched(request_uri, client)
        if token is not None:
            return await self._inside(token, client)
        if client.require_signed_request_object:
            raise InvalidRequest("the client must send signed request objects", detail=Reason.SIGNED_REQUIRED)
        return parameters

    async def _pushed(self, handle: str, client: Client) -> EffectiveParameters:
        key = digest(handle)
        members = await self.pushed_requests.find(key)
        pushed = PushedRequest.from_json(members) if members else None
        return EffectiveParameters(opened(pushed, client, clock.now()), key)

    async def _fetched(self, request_uri: str, client: Client) -> str:
        """The document at a registered URI (Core 1.0 §6.2). A fragment is a hash that names its version."""
        if request_uri not in client.request_uris:
            detail = Detail.of_uri(Reason.REQUEST_URI, request_uri, client.request_uris)
            raise InvalidRequestUri("request_uri is not registered for this client", detail=detail)
        try:
            return (await self.fetch(request_uri.partition("#")[0])).strip()
        except FetchFailed as fault:
            raise InvalidRequestUri("request_uri could not be fetched", detail=str(fault)) from None

    async def _inside(self, token: str, client: Client) -> Parameters:
        header = header_of(token, client, is_unsigned_allowed=self.settings.unsigned_request_objects)
        claims = unsigned_claims(token) if header.alg == UNSIGNED else await self._signed(token, client)
        return read_object(claims, client, self.settings.issuer, clock.now())

    async def _signed(self, token: str, client: Client) -> Mapping[str, Any]:
        try:
            return await self.keys.verified(token, client)
        except (BadJwt, NoKeys) as fault:
            raise InvalidRequestObject(
                "the request object: no key of the client verifies it", detail=str(fault)
            ) from None
