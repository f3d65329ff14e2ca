"""The registration endpoint: RFC 7591 §3."""

from dataclasses import dataclass, replace
from datetime import timedelta

from aiohttp import web

from services.client_registry.registration.credentials import ITSELF, bearer, limited
from services.client_registry.registration.description import Descriptions
from services.client_registry.registration.metadata import client_information, read_body
from shared.config.settings import Settings
from shared.live import clock
from shared.live.address_block import address_block
from shared.live.randomness import new_client_id, new_client_secret, new_handle
from shared.live.rate_limiter import RateLimiter
from shared.oauth.client.record import Client
from shared.oauth.client.secret import needs_secret, new_secret
from shared.oauth.errors import AccessDenied, InvalidToken
from shared.oauth.tokens.handle import Kind, digest
from shared.operations.clients import allowed_by
from shared.store import Clients, Counters, Full, InitialAccessTokens, Pace
from shared.web.answers import json_answer
from shared.web.form import body
from shared.web.forwarded import client_address

PACE = Pace(
    free=20,
    first_wait=timedelta(seconds=30),
    longest_wait=timedelta(minutes=10),
    forgotten_after=timedelta(hours=1),
)
"""Registrations from one subscriber's addresses, where anybody may register."""


class NoRoom(AccessDenied):
    """The quota of clients that registered themselves is used up."""

    status = 403


@dataclass(frozen=True, slots=True)
class RegistrationEndpoint:
    """What it needs."""

    clients: Clients
    initial_access_tokens: InitialAccessTokens
    counters: Counters
    descriptions: Descriptions
    failures: RateLimiter
    settings: Settings


REGISTRATION_ENDPOINT = web.AppKey("REGISTRATION_ENDPOINT", RegistrationEndpoint)


async def _admitted(endpoint: RegistrationEndpoint, request: web.Request) -> bytes | None:
    """The digest of a good initial access token; None where nobody needs one. Raises InvalidToken."""
    if endpoint.settings.registration == "open":
        return None
    token_hash = digest(bearer(request, Kind.INITIAL_ACCESS_TOKEN))
    with limited(endpoint.failures, "initial_access_token", request):
        if not await endpoint.initial_access_tokens.is_good(token_hash):
            raise InvalidToken("the initial access token is unknown, used up or expired")
    return token_hash


async def register(request: web.Request) -> web.Response:
    """Register the client that the body describes. A token is spent only on metadata that are accepted."""
    endpoint = request.app[REGISTRATION_ENDPOINT]
    settings, descriptions = endpoint.settings, endpoint.descriptions
    token_hash = await _admitted(endpoint, request)
    allowed = allowed_by(settings, client_credentials=token_hash is not None)
    members = read_body(request.content_type, await body(request))
    described = descriptions.read(members, new_client_id(), allowed, clock.now())
    if token_hash is None and (wait := await _wait(endpoint, client_address(request))):
        return _too_many(wait)
    await descriptions.check_sector(described)
    if token_hash is not None and not await endpoint.initial_access_tokens.spend(token_hash):
        raise InvalidToken("the initial access token is unknown, used up or expired")
    secret = new_client_secret() if needs_secret(described) else None
    token = new_handle(Kind.REGISTRATION_ACCESS_TOKEN)
    client = replace(
        described,
        secrets=(new_secret(described, secret),) if secret else (),
        registration_access_token_hash=digest(token),
    )
    added = await _add(endpoint.clients, client, settings.client_quota if token_hash is None else None)
    information = client_information(added, settings.issuer, secret, token)
    return json_answer({**information, **descriptions.echoed(members)}, status=201)


async def _add(clients: Clients, client: Client, quota: int | None) -> Client:
    try:
        await clients.add(client, by=ITSELF, quota=quota)
    except Full:
        raise NoRoom("no more clients can register here for now") from None
    return await clients.find(client.client_id) or client


async def _wait(endpoint: RegistrationEndpoint, address: str) -> timedelta | None:
    if not endpoint.settings.rate_limits:
        return None
    return await endpoint.counters.attempt("registration", address_block(address), PACE)


def _too_many(wait: timedelta) -> web.Response:
    """RFC 6585 §4."""
    retry_after = {"Retry-After": str(int(wait.total_seconds()) + 1)}
    return json_answer({"error": "too_many_requests"}, status=429, headers=retry_after)
