"""The client configuration endpoint: RFC 7592 §2."""

from dataclasses import dataclass

from aiohttp import web

from services.client_registry.registration.credentials import (
    ITSELF,
    bearer_token,
    limit_failures,
    registered_client,
)
from services.client_registry.registration.request import check_identity, read_body, requested_scope
from services.client_registry.registration.response import client_information
from services.client_registry.registration.sector import check_sector
from services.client_registry.registration.software_statement import Issuers, with_statement
from services.client_registry.registration.stored import as_stored
from shared.config.settings import Settings
from shared.fetch import Fetcher
from shared.live import clock
from shared.live.randomness import new_client_secret
from shared.live.rate_limiter import RateLimiter
from shared.live.resource_cache import ResourceCache
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.record import Client
from shared.oauth.client.rules import read_registration
from shared.oauth.client.secret import needs_secret, with_secret
from shared.oauth.errors import AccessDenied, InvalidClientMetadata, InvalidToken
from shared.oauth.tokens.handle import Kind
from shared.operations.clients import allowed_by
from shared.store import Clients, Stale
from shared.web.answers import json_answer
from shared.web.client import note_client
from shared.web.form import body
from shared.web.headers import NO_STORE, SAFE


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationEndpoint:
    """The collaborators. `statement_issuers`: the trusted issuers of software statements."""

    clients: Clients
    statement_issuers: Issuers
    fetcher: Fetcher
    failures: RateLimiter
    resources: ResourceCache
    settings: Settings


CONFIGURATION_ENDPOINT = web.AppKey("CONFIGURATION_ENDPOINT", ConfigurationEndpoint)


class Disabled(AccessDenied):
    """An operator has disabled the client, and its registration access token does not enable it."""

    status = 403


async def show(request: web.Request) -> web.Response:
    """Read the client: RFC 7592 §2.1. Its secret is stored as a hash and cannot be shown.

    The registration access token is never rotated, so the response repeats the one presented (§3).
    """
    issuer = request.app[CONFIGURATION_ENDPOINT].settings.issuer
    token = bearer_token(request, Kind.REGISTRATION_ACCESS_TOKEN)
    client = await _client(request, token)
    return json_answer(client_information(client, issuer, registration_access_token=token))


async def update(request: web.Request) -> web.Response:
    """Replace the client's metadata: RFC 7592 §2.2. An omitted member returns to its default."""
    endpoint = request.app[CONFIGURATION_ENDPOINT]
    settings = endpoint.settings

    token = bearer_token(request, Kind.REGISTRATION_ACCESS_TOKEN)
    current = await _enabled_client(request, token)

    members = read_body(request.content_type, await body(request))
    check_identity(members, current)
    metadata = with_statement(members, endpoint.statement_issuers, settings.issuer, clock.now())
    api_scopes = await endpoint.resources.api_scopes(requested_scope(metadata))
    changed = read_registration(metadata, current.client_id, _allowed(settings, current), current, api_scopes)
    await check_sector(changed, endpoint.fetcher)

    client_secret = new_client_secret() if needs_secret(changed) and not changed.secrets else None
    client = await _replace(endpoint.clients, with_secret(changed, client_secret))
    information = client_information(
        client,
        settings.issuer,
        client_secret=client_secret,
        registration_access_token=token,
        software_statement=members.get("software_statement") if endpoint.statement_issuers else None,
    )
    return json_answer(information)


async def delete(request: web.Request) -> web.Response:
    """Delete the client: RFC 7592 §2.3."""
    client = await _enabled_client(request, bearer_token(request, Kind.REGISTRATION_ACCESS_TOKEN))
    if not await request.app[CONFIGURATION_ENDPOINT].clients.delete(client.client_id, by=ITSELF):
        raise InvalidToken("the token is not for this client")
    return web.Response(status=204, headers={**SAFE, **NO_STORE})


async def _client(request: web.Request, token: str) -> Client:
    """The client of the path, if the token is its own. Raises InvalidToken, TooManyRequests."""
    endpoint, client_id = request.app[CONFIGURATION_ENDPOINT], request.match_info["client_id"]
    with limit_failures(endpoint.failures, f"registration_access_token {client_id}", request):
        client = await registered_client(endpoint.clients, client_id, token)
    note_client(request, client)
    return client


async def _enabled_client(request: web.Request, token: str) -> Client:
    """As `_client`. Raises Disabled as well."""
    client = await _client(request, token)
    if client.disabled_at:
        raise Disabled("the client is disabled")
    return client


def _allowed(settings: Settings, current: Client) -> Capabilities:
    """Open registration gives no client_credentials; a client that has that grant type keeps it."""
    is_allowed = settings.registration != "open" or "client_credentials" in current.grant_types
    return allowed_by(settings, client_credentials=is_allowed)


async def _replace(clients: Clients, client: Client) -> Client:
    """The client as it is stored.

    Raises InvalidClientMetadata, and writes nothing, if the client was changed or disabled since it was read.
    """
    try:
        await clients.replace(client, by=ITSELF)
    except Stale:
        raise InvalidClientMetadata("the client was changed in the meantime: read it and try again") from None
    return await as_stored(clients, client)
