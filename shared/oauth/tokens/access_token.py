"""Access tokens: sealed so that only we can read them, or claims for a JWT that anyone may verify.

Nothing is stored for either. An opaque token is `at_` and base64url of

    version (1 byte) ‖ key id (4) ‖ nonce (12) ‖ AES-256-GCM-SIV of the content

with the issuer, the kind of token and the key id as associated data.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from shared.codec.base64url import base64url, from_base64url
from shared.model import AccessToken, Scope
from shared.oauth.tokens.handle import Kind
from shared.oauth.tokens.jwt import SignedClaims
from shared.oauth.tokens.keys import SealingKey

NONCE_BYTES = 12
MAX_LENGTH = 1024
JWT_TYPE = "at+jwt"  # RFC 9068 §2.1
PREFIX = f"{Kind.ACCESS_TOKEN}_"  # of the opaque ones

_VERSION = 1
_HEAD = struct.Struct(f">B4s{NONCE_BYTES}s")
_TAG_BYTES = 16
_FIXED = struct.Struct(">16s?16sQI")  # token id, has a grant, grant id or client epoch, iat, s until exp
_LENGTH = struct.Struct(">H")
_GRANT_BYTES = 16


class TooLong(Exception):
    """The token would not fit where access tokens have to fit."""


class NotAnAccessToken(Exception):
    """It is none of ours: malformed, altered, of another issuer or another kind."""


def _pack(token: AccessToken) -> bytes:
    iat = int(token.iat.timestamp())
    fixed = _FIXED.pack(
        token.token_id.bytes,
        token.grant_id is not None,
        token.grant_id.bytes if token.grant_id else (token.client_epoch or 0).to_bytes(_GRANT_BYTES, "big"),
        iat,
        int(token.exp.timestamp()) - iat,
    )
    texts = (token.client_id, token.sub, " ".join(token.scope), *token.aud)
    encoded = [text.encode() for text in texts]
    if sum(map(len, encoded)) > MAX_LENGTH:
        raise TooLong
    return fixed + b"".join([_LENGTH.pack(len(text)) + text for text in encoded])


def _unpack(content: bytes) -> AccessToken:
    token_id, has_grant, grant_id, iat, seconds = _FIXED.unpack_from(content)
    at, texts = _FIXED.size, []
    while at < len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size + length
        texts.append(content[at - length : at].decode())
    client_id, sub, scope, *aud = texts
    return AccessToken(
        token_id=UUID(bytes=token_id),
        grant_id=UUID(bytes=grant_id) if has_grant else None,
        client_id=client_id,
        sub=sub,
        scope=tuple(scope.split()),
        aud=tuple(aud),
        iat=datetime.fromtimestamp(iat, UTC),
        exp=datetime.fromtimestamp(iat + seconds, UTC),
        client_epoch=None if has_grant else int.from_bytes(grant_id, "big"),
    )


@lru_cache(maxsize=1024)
def sealed_length(client_id: str, sub: str, scope: Scope, aud: tuple[str, ...]) -> int:
    """How long an opaque access token of these will be, in characters; above MAX_LENGTH none is made."""
    texts = (client_id, sub, " ".join(scope), *aud)
    content = _FIXED.size + sum(_LENGTH.size + len(text.encode()) for text in texts)
    return len(PREFIX) + (4 * (_HEAD.size + content + _TAG_BYTES) + 2) // 3


@lru_cache(maxsize=64)
def _associated(issuer: str, kid: bytes) -> bytes:
    return b"\0".join((issuer.encode(), PREFIX.encode(), kid))


@lru_cache(maxsize=16)
def _cipher(secret: bytes) -> AESGCMSIV:
    return AESGCMSIV(secret)


def seal(token: AccessToken, key: SealingKey, issuer: str, nonce: bytes) -> str:
    """An opaque access token; *nonce* is 12 random bytes. Times are kept to the second. Raises TooLong."""
    kid = bytes.fromhex(key.kid)
    sealed = _cipher(key.secret).encrypt(nonce, _pack(token), _associated(issuer, kid))
    value = PREFIX + base64url(_HEAD.pack(_VERSION, kid, nonce) + sealed)
    if len(value) > MAX_LENGTH:
        raise TooLong
    return value


@dataclass(frozen=True, slots=True)
class Sealed:
    """An opaque access token that nobody has opened yet. `kid`: of the key that it says it is sealed with."""

    kid: str
    nonce: bytes
    content: bytes


def parse_sealed(value: str) -> Sealed:
    """Raises NotAnAccessToken."""
    if not value.startswith(PREFIX) or len(value) > MAX_LENGTH:
        raise NotAnAccessToken
    try:
        data = from_base64url(value.removeprefix(PREFIX))
    except ValueError:
        raise NotAnAccessToken from None
    if len(data) < _HEAD.size + _TAG_BYTES:
        raise NotAnAccessToken
    version, kid, nonce = _HEAD.unpack_from(data)
    if version != _VERSION:
        raise NotAnAccessToken
    return Sealed(kid.hex(), nonce, data[_HEAD.size :])


def unseal(sealed: Sealed, key: SealingKey, issuer: str) -> AccessToken:
    """The content of an opaque access token sealed with *key*, expired or not. Raises NotAnAccessToken."""
    try:
        associated = _associated(issuer, bytes.fromhex(sealed.kid))
        return _unpack(_cipher(key.secret).decrypt(sealed.nonce, sealed.content, associated))
    except InvalidTag:
        raise NotAnAccessToken from None


def to_claims(token: AccessToken, issuer: str) -> dict[str, Any]:
    """The claims of a JWT access token: RFC 9068 §2.2."""
    claims = {
        "iss": issuer,
        "sub": token.sub,
        "aud": token.aud,
        "client_id": token.client_id,
        "scope": " ".join(token.scope),
        "iat": int(token.iat.timestamp()),
        "exp": int(token.exp.timestamp()),
        "jti": str(token.token_id),
    }
    return {**claims, "grant_id": str(token.grant_id)} if token.grant_id else claims


def from_claims(claims: SignedClaims, issuer: str) -> AccessToken:
    """The content of a JWT access token that we signed, expired or not. Raises NotAnAccessToken."""
    try:
        if claims["iss"] != issuer:
            raise NotAnAccessToken
        grant_id: str | None = claims.get("grant_id")
        scope: Scope = tuple(claims["scope"].split())
        return AccessToken(
            token_id=UUID(claims["jti"]),
            grant_id=UUID(grant_id) if grant_id else None,
            client_id=claims["client_id"],
            sub=claims["sub"],
            scope=scope,
            aud=tuple(claims["aud"]),
            iat=datetime.fromtimestamp(claims["iat"], UTC),
            exp=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotAnAccessToken from None
