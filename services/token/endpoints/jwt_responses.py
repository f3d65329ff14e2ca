"""Responses as JWTs: userinfo (OpenID Connect Core 1.0 §5.3.2) and introspection (RFC 9701)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from shared.issuing.encryption import Encryption
from shared.issuing.keys_in_use import signer
from shared.live.keyring import KeyRing
from shared.oauth.client.record import Client
from shared.oauth.tokens.jwe import encrypt
from shared.oauth.tokens.jwt import sign
from shared.web.answers import Head, PreparedResponse

INTROSPECTION_TYP = "token-introspection+jwt"  # RFC 9701 §5: it cannot be mistaken for another JWT
INTROSPECTION_TYPE = f"application/{INTROSPECTION_TYP}"


@dataclass(frozen=True, slots=True)
class JwtResponses:
    """Signs as the issuer, and encrypts to clients. Every method raises Unavailable."""

    issuer: str
    keyring: KeyRing
    encryption: Encryption

    async def userinfo(self, client: Client, claims: Mapping[str, Any], now: datetime) -> str | None:
        """The claims, signed or encrypted or both, as the client registered. None: send plain JSON."""
        recipient = await self.encryption.of_userinfo(client)
        if client.userinfo_signed_response_alg is None:
            return encrypt(recipient, json.dumps(claims)) if recipient else None
        key = signer(self.keyring.confirmed(), client.userinfo_signed_response_alg, now)
        signed = sign(key, {**claims, "iss": self.issuer, "aud": client.client_id})
        return encrypt(recipient, signed, cty="JWT") if recipient else signed

    async def introspection(self, client: Client, description: Mapping[str, Any], now: datetime) -> str:
        """The description of a token as a JWT: RFC 9701 §5."""
        recipient = await self.encryption.of_introspection(client)
        key = signer(self.keyring.confirmed(), client.introspection_signed_response_alg, now)
        about = {"iss": self.issuer, "aud": client.client_id, "iat": int(now.timestamp())}
        signed = sign(key, {**about, "token_introspection": description}, INTROSPECTION_TYP)
        return encrypt(recipient, signed, cty="JWT", typ=INTROSPECTION_TYP) if recipient else signed


def jwt_response(token: str, content_type: str) -> web.Response:
    """A JWT as a response that must not be cached."""
    return PreparedResponse(token.encode("ascii"), Head.of_private(content_type))
