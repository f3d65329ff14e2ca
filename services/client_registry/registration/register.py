"""The registration endpoint: RFC 7591 §3."""

from dataclasses import dataclass, replace
from datetime import timedelta

from aiohttp import web

from services.client_registry.registration.credentials import ITSELF, bearer_token, limit_failures
from services.client_registry.registration.request import read_body, requested_scope
from services.client_registry.registration.response import client_information
from services.client_registry.registration.sector import check_sector
from services.client_registry.registration.software_statement import Issuers, with_statement
from services.client_registry.registration.stored import as_stored
from shared.config.settings import Settings
from shared.fetch import Fetcher
from shared.live import clock
from shared.live.address_block import address_block
from shared.live.randomness import new_client_id, new_client_secret, new_handle
from shared.live.rate_limiter import RateLimiter
from shared.live.resource_cache import ResourceCache
from shared.oauth.client.record import Client
from shared.oauth.client.rules import read_registration
from shared.oauth.client.secret import needs_secret, with_secret
from shared.oauth.errors import AccessDenied, InvalidToken, TooManyRequests
from shared.oauth.tokens.handle import Kind, digest
from shared.operations.clients import allowed_by
from shared.store import Clients, Counters, Full, InitialAccessTokens, Pace, UsedUp
from shared.web.answers import json_answer
from shared.web.form import body
from shared.web.forwarded import client_address

PACE = Pace(
    free=20,
    first_wait=timedelta(seconds=30),
    longest_wait=timedelta(minutes=10),
    forgotten_after=timedelta(hours=1),
)
"""The rate limit for open registrations from the addresses of one subscriber."""


NOT_GOOD = "the initial access token is unknown, used up or expired"


class QuotaExceeded(AccessDenied):
    """The quota for clients that register themselves is used up."""

    status = 403


class TooManyRegistrations(TooManyRequests):
    """The address registers clients faster than the limit allows."""

    error = "too_many_requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationEndpoint:
    """The collaborators. `statement_issuers`: the trusted issuers of software statements."""

    clients: Clients
    initial_access_tokens: InitialAccessTokens
    counters: Counters
    statement_issuers: Issuers
    fetcher: Fetcher
    failures: RateLimiter
    resources: ResourceCache
    settings: Settings


REGISTRATION_ENDPOINT = web.AppKey("REGISTRATION_ENDPOINT", RegistrationEndpoint)


async def register(request: web.Request) -> web.Response:
    """Register the client that the body describes.

    An initial access token is spent only after every check, and once for each client.
    """
    endpoint = request.app[REGISTRATION_ENDPOINT]
    settings = endpoint.settings

    token_hash = await _initial_access_token(endpoint, request)
    allowed = allowed_by(settings, client_credentials=token_hash is not None)

    members = read_body(request.content_type, await body(request))
    metadata = with_statement(members, endpoint.statement_issuers, settings.issuer, clock.now())
    api_scopes = await endpoint.resources.api_scopes(requested_scope(metadata))
    described = read_registration(metadata, new_client_id(), allowed, api_scopes=api_scopes)
    if token_hash is None:
        await _limit_registrations(endpoint, request)
    await check_sector(described, endpoint.fetcher)

    client_secret = new_client_secret() if needs_secret(described) else None
    registration_access_token = new_handle(Kind.REGISTRATION_ACCESS_TOKEN)
    client = replace(
        with_secret(described, client_secret),
        registration_access_token_hash=digest(registration_access_token),
        is_dynamically_registered=True,
    )
    client = await _add(endpoint.clients, client, token_hash, settings.client_quota)
    information = client_information(
        client,
        settings.issuer,
        client_secret=client_secret,
        registration_access_token=registration_access_token,
        software_statement=members.get("software_statement") if endpoint.statement_issuers else None,
    )
    return json_answer(information, status=201)


async def _initial_access_token(endpoint: RegistrationEndpoint, request: web.Request) -> bytes | None:
    """The digest of a valid initial access token; None if registration is open. Raises InvalidToken."""
    if endpoint.settings.registration == "open":
        return None
    token_hash = digest(bearer_token(request, Kind.INITIAL_ACCESS_TOKEN))
    with limit_failures(endpoint.failures, "initial_access_token", request):
        if not await endpoint.initial_access_tokens.is_good(token_hash):
            raise InvalidToken(NOT_GOOD)
    return token_hash


async def _limit_registrations(endpoint: RegistrationEndpoint, request: web.Request) -> None:
    """Raises TooManyRegistrations."""
    if not endpoint.settings.rate_limits:
        return
    subscriber = address_block(client_address(request))
    if wait := await endpoint.counters.attempt("registration", subscriber, PACE):
        raise TooManyRegistrations("too many clients have been registered from this address", wait)


async def _add(clients: Clients, client: Client, token_hash: bytes | None, quota: int) -> Client:
    """The client as it is stored. The *quota* is for clients without a token.

    Raises QuotaExceeded, InvalidToken.
    """
    try:
        if token_hash is None:
            await clients.add(client, by=ITSELF, quota=quota)
        else:
            await clients.add(client, by=ITSELF, initial_access_token=token_hash)
    except Full:
        raise QuotaExceeded("no more clients can register here for now") from None
    except UsedUp:
        raise InvalidToken(NOT_GOOD) from None
    return await as_stored(clients, client)
