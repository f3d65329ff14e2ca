"""The claims of an ID token that are not about the user: OpenID Connect Core 1.0 §2. Pure."""

import hashlib
from datetime import datetime
from typing import Any

from shared.codec.base64url import base64url
from shared.model import Authorization
from shared.oauth.client.record import Client

_HASHES = {
    "256": hashlib.sha256,
    "384": hashlib.sha384,
    "512": hashlib.sha512,
    "DSA": hashlib.sha512,  # EdDSA, with Ed25519
}
"""The hash function by the end of the algorithm's name."""


def authentication_event(
    client: Client, authorization: Authorization, *, issuer: str, sub: str, iat: datetime, exp: datetime
) -> dict[str, Any]:
    """Who has authenticated, when and how, for which client and for how long."""
    authentication = authorization.authentication
    auth_time = int(authentication.auth_time.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": sub,
        "aud": [client.client_id],
        "iat": int(iat.timestamp()),
        "exp": int(exp.timestamp()),
        "auth_time": auth_time,
        "acr": authentication.acr,
        "amr": authentication.amr,
        "sid": str(authorization.sid),
    }
    if "rat" in client.id_token_claims:  # for Cells: when the sign-in was requested
        claims["rat"] = auth_time
    return claims


def response_hashes(
    alg: str, *, access_token: str | None, code: str | None, state: str | None
) -> dict[str, str]:
    """The claims that bind an ID token to its response: §3.1.3.6, §3.3.2.11, and `s_hash` likewise."""
    members = (("at_hash", access_token), ("c_hash", code), ("s_hash", state))
    return {name: left_half_hash(value, alg) for name, value in members if value is not None}


def left_half_hash(value: str, alg: str) -> str:
    """`at_hash`, `c_hash` or `s_hash` for a token signed with *alg* (§3.1.3.6)."""
    hashed = _HASHES[alg[2:]](value.encode()).digest()
    return base64url(hashed[: len(hashed) // 2])
