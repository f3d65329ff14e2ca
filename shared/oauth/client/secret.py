"""Client secrets: stored as hashes, and in plain text only if they sign assertions. Pure.

A secret has 256 random bits, so its hash needs no salt.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.oauth.client.record import Client, ClientSecret

MIN_SIGNING_SECRET = 32  # characters: RFC 7518 §3.2 wants a key as long as the hash

_METHODS = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})


def needs_secret(client: Client) -> bool:
    """Whether the client authenticates with a client secret."""
    return client.token_endpoint_auth_method in _METHODS


def signs_with_secret(client: Client) -> bool:
    """Whether the client proves its secret without sending it, so the server needs the value."""
    return client.token_endpoint_auth_method == "client_secret_jwt"


def new_secret(client: Client, client_secret: str) -> ClientSecret:
    """A secret of this client, as it is stored."""
    value = client_secret if signs_with_secret(client) else None
    return ClientSecret(hashlib.sha256(client_secret.encode()).digest(), value=value)


def with_secret(client: Client, client_secret: str | None) -> Client:
    """The client with this secret alone; unchanged if there is none."""
    return replace(client, secrets=(new_secret(client, client_secret),)) if client_secret else client


def retained_secrets(client: Client, secrets: Sequence[ClientSecret]) -> tuple[ClientSecret, ...]:
    """The secrets of a client that still work after a change of its metadata."""
    if not needs_secret(client):
        return ()
    if signs_with_secret(client):
        return tuple(secret for secret in secrets if secret.value is not None)
    return tuple(replace(secret, value=None) for secret in secrets)


def rotated_secrets(
    fresh: ClientSecret, secrets: Sequence[ClientSecret], now: datetime, previous_until: datetime
) -> tuple[ClientSecret, ...]:
    """The new secret, and the previous one until *previous_until*: at most two are valid at once."""
    for previous in secrets:
        until = min(previous.expires_at or previous_until, previous_until)
        return (fresh, replace(previous, expires_at=until)) if until > now else (fresh,)
    return (fresh,)
