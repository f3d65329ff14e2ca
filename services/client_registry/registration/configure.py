"""The client configuration endpoint: RFC 7592 §2."""

import hashlib
import hmac
from dataclasses import dataclass, replace

from aiohttp import web

from services.client_registry.registration.credentials import ITSELF, bearer, limited, own_client
from services.client_registry.registration.description import Descriptions
from services.client_registry.registration.metadata import check_identity, client_information, read_body
from shared.config.settings import Settings
from shared.live import clock
from shared.live.randomness import new_client_secret
from shared.live.rate_limiter import RateLimiter
from shared.model import Json
from shared.oauth.client.record import Client
from shared.oauth.client.secret import needs_secret, new_secret
from shared.oauth.errors import AccessDenied, InvalidClientMetadata, InvalidToken
from shared.oauth.tokens.handle import Kind
from shared.operations.clients import allowed_by
from shared.store import Clients, Stale
from shared.web.answers import json_answer
from shared.web.form import body
from shared.web.headers import NO_STORE, SAFE


@dataclass(frozen=True, slots=True)
class ConfigurationEndpoint:
    """What it needs."""

    clients: Clients
    descriptions: Descriptions
    failures: RateLimiter
    settings: Settings


CONFIGURATION_ENDPOINT = web.AppKey("CONFIGURATION_ENDPOINT", ConfigurationEndpoint)


class Disabled(AccessDenied):
    """An operator has disabled the client; who holds its token does not bring it back."""

    status = 403


async def _client(request: web.Request, token: str) -> Client:
    endpoint, client_id = request.app[CONFIGURATION_ENDPOINT], request.match_info["client_id"]
    with limited(endpoint.failures, f"registration_access_token {client_id}", request):
        return await own_client(endpoint.clients, client_id, token)


async def show(request: web.Request) -> web.Response:
    """RFC 7592 §2.1. The client secret is kept as a hash, so it is not shown again.

    The registration access token is never rotated, so an answer repeats the one presented (§3).
    """
    issuer = request.app[CONFIGURATION_ENDPOINT].settings.issuer
    token = bearer(request, Kind.REGISTRATION_ACCESS_TOKEN)
    client = await _client(request, token)
    return json_answer(client_information(client, issuer, registration_access_token=token))


async def update(request: web.Request) -> web.Response:
    """RFC 7592 §2.2: what the request omits goes back to its default."""
    endpoint = request.app[CONFIGURATION_ENDPOINT]
    token = bearer(request, Kind.REGISTRATION_ACCESS_TOKEN)
    current = await _client(request, token)
    if current.disabled_at:
        raise Disabled("the client is disabled")
    members = read_body(request.content_type, await body(request))
    check_identity(members, current.client_id)
    _check_secret(members, current)
    may_use_client_credentials = (
        endpoint.settings.registration != "open" or "client_credentials" in current.grant_types
    )
    allowed = allowed_by(endpoint.settings, client_credentials=may_use_client_credentials)
    changed = endpoint.descriptions.read(members, current.client_id, allowed, clock.now(), current)
    await endpoint.descriptions.check_sector(changed)
    secret = new_client_secret() if needs_secret(changed) and not changed.secrets else None
    if secret:
        changed = replace(changed, secrets=(new_secret(changed, secret),))
    try:
        await endpoint.clients.replace(changed, by=ITSELF)
    except Stale:
        # Changed or disabled since it was read, and perhaps for a reason: nothing of this request is kept.
        raise InvalidClientMetadata("the client was changed in the meantime: read it and try again") from None
    kept = await endpoint.clients.find(changed.client_id) or changed
    information = client_information(kept, endpoint.settings.issuer, secret, registration_access_token=token)
    return json_answer({**information, **endpoint.descriptions.echoed(members)})


def _check_secret(members: Json, client: Client) -> None:
    """RFC 7592 §2.2: a client must not choose its secret; it may repeat it."""
    given = members.get("client_secret")
    if given is None:
        return
    presented = hashlib.sha256(str(given).encode()).digest()
    if not any(hmac.compare_digest(presented, secret.hash) for secret in client.secrets):
        raise InvalidClientMetadata("client_secret is not the client's")


async def delete(request: web.Request) -> web.Response:
    """RFC 7592 §2.3."""
    client = await _client(request, bearer(request, Kind.REGISTRATION_ACCESS_TOKEN))
    if client.disabled_at:
        raise Disabled("the client is disabled")
    if not await request.app[CONFIGURATION_ENDPOINT].clients.delete(client.client_id, by=ITSELF):
        raise InvalidToken("the token is not for this client")
    return web.Response(status=204, headers={**SAFE, **NO_STORE})
