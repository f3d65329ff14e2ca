"""Answers as JWTs: of the userinfo endpoint (OpenID Connect Core 1.0 §5.3.2) and introspection (RFC 9701)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from shared.issuing.encryption import Encryption
from shared.issuing.tokens import signer
from shared.live.keyring import KeyRing
from shared.oauth.client.record import Client
from shared.oauth.tokens.jwe import encrypt
from shared.oauth.tokens.jwt import sign
from shared.web.answers import Answer, Head

INTROSPECTION_TYP = "token-introspection+jwt"  # RFC 9701 §5: taken for no other JWT
INTROSPECTION_TYPE = f"application/{INTROSPECTION_TYP}"


@dataclass(frozen=True, slots=True)
class JwtAnswers:
    """Signs as the issuer, and encrypts to clients. Every method raises Unavailable."""

    issuer: str
    keyring: KeyRing
    encryption: Encryption

    async def userinfo(self, client: Client, claims: Mapping[str, Any], now: datetime) -> str | None:
        """The claims as the client registered them: signed, encrypted, or both; None: as plain JSON."""
        recipient = await self.encryption.of_userinfo(client)
        if client.userinfo_signed_response_alg is None:
            return encrypt(recipient, json.dumps(claims)) if recipient else None
        key = signer(self.keyring.confirmed(), client.userinfo_signed_response_alg, now)
        signed = sign(key, {**claims, "iss": self.issuer, "aud": client.client_id})
        return encrypt(recipient, signed, cty="JWT") if recipient else signed

    async def introspection(self, client: Client, description: Mapping[str, Any], now: datetime) -> str:
        """RFC 9701 §5: what is said of the token stands apart from what is said of the answer."""
        recipient = await self.encryption.of_introspection(client)
        key = signer(self.keyring.confirmed(), client.introspection_signed_response_alg, now)
        about = {"iss": self.issuer, "aud": client.client_id, "iat": int(now.timestamp())}
        signed = sign(key, {**about, "token_introspection": description}, INTROSPECTION_TYP)
        return encrypt(recipient, signed, cty="JWT", typ=INTROSPECTION_TYP) if recipient else signed


def jwt_answer(token: str, content_type: str) -> web.Response:
    """A JWT that no cache keeps."""
    return Answer(token.encode("ascii"), Head.of_private(content_type))
