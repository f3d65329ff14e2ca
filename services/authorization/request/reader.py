"""Reads authorization requests: finds the client and the effective parameters, and validates both."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from services.authorization.client_documents.known_clients import KnownClients
from services.authorization.request.parameter_source import EffectiveParameters, ParameterSource
from services.authorization.request.validated_request import RedirectableError, ValidatedRequest
from services.authorization.request.validation import Deployment, read_request
from services.authorization.response.callback import Callback
from services.authorization.response.signer import ResponseSigner
from shared.browser.language import UI_LOCALES, language, note_ui_locales
from shared.browser.pages import Pages
from shared.live import clock
from shared.live.keyring import KeyRing
from shared.live.resource_cache import ResourceCache
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest, OAuthError
from shared.oauth.parameters import Parameters
from shared.oauth.refusal import Reason
from shared.web.client import note_client


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Validates the requests of the authorization endpoint and of the pushed request endpoint."""

    deployment: Deployment
    known_clients: KnownClients
    keyring: KeyRing
    resources: ResourceCache
    response_signer: ResponseSigner
    source: ParameterSource
    pages: Pages

    async def read(self, request: web.Request, parameters: Parameters) -> ValidatedRequest:
        """Validate a request to the authorization endpoint.

        Until the redirect URI is validated, raises OAuthError, which only a page may show; afterwards,
        RedirectableError. Raises Unavailable.
        """
        note_ui_locales(request, parameters.unique(UI_LOCALES))
        client = await self.client(parameters)
        note_client(request, client)
        try:
            effective = await self.source.of_authorization_request(parameters, client)
        except OAuthError as error:
            callback = self._callback(parameters, client, error)
            raise RedirectableError(callback, error, self._locale(request)) from None
        return await self.validate_new(request, client, effective)

    async def validate_new(
        self, request: web.Request, client: Client, effective: EffectiveParameters
    ) -> ValidatedRequest:
        """As `validate`, for a request that has just arrived and may name a newly registered resource."""
        await self.resources.naming(effective.parameters.all("resource"))
        return self.validate(request, client, effective)

    def validate(
        self, request: web.Request, client: Client, effective: EffectiveParameters
    ) -> ValidatedRequest:
        """Validate the effective parameters. Raises as `read`."""
        note_ui_locales(request, effective.parameters.unique(UI_LOCALES))
        callback, locale = self._callback(effective.parameters, client), self._locale(request)
        try:
            validated = read_request(
                effective.parameters, client, self.deployment, self.keyring.known, self.resources.known
            )
        except OAuthError as error:
            raise RedirectableError(callback, error, locale) from None
        return ValidatedRequest(client, callback, validated, locale, effective)

    async def client(self, parameters: Parameters) -> Client:
        """The client that `client_id` names. Raises InvalidRequest, Unavailable."""
        client_id = parameters.require("client_id")
        client = await self.known_clients.find(client_id)
        if client is None or client.disabled_at:
            reason = Reason.DISABLED_CLIENT if client else Reason.UNKNOWN_CLIENT
            raise InvalidRequest("client_id is not registered here", detail=reason, client_id=client_id)
        return client

    def _callback(self, parameters: Parameters, client: Client, error: OAuthError | None = None) -> Callback:
        """The client's callback. Raises *error*, or InvalidRequest, if the request has no valid one."""

        def sign(response: Mapping[str, str]) -> str:
            return self.response_signer.sign(client, response, clock.now())

        try:
            return Callback.of(parameters, client, self.deployment.issuer, sign)
        except InvalidRequest as invalid:
            raise error or invalid from None

    def _locale(self, request: web.Request) -> str:
        return language(request, self.pages)
