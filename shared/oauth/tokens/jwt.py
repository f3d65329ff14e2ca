"""Signing and verifying JWTs (RFC 7515, RFC 7519).

Claims become `SignedClaims` only after their signature is verified with a key and an algorithm that the
caller chose, regardless of the header (RFC 8725 §3.1).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NewType, cast

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from shared.codec.base64url import base64url, from_base64url
from shared.codec.json_text import BadJson, parse_object
from shared.model import Json
from shared.oauth.tokens.keys import PrivateKey, PublicKey, SigningKey

SignedClaims = NewType("SignedClaims", dict[str, Any])

MAX_JWT = 16 * 1024
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")  # PyJWT skips other characters

_JWS = jwt.PyJWS(
    algorithms=["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
)
_ECDSA = {
    "ES256": (ec.ECDSA(SHA256()), 32),
    "ES384": (ec.ECDSA(SHA384()), 48),
    "ES512": (ec.ECDSA(SHA512()), 66),
}
"""The algorithm, and the size of its curve's numbers (RFC 7518 §3.4)."""
_SECRET_JWS = jwt.PyJWS(algorithms=["HS256", "HS384", "HS512"])  # separate, so these never see a public key


class BadJwt(Exception):
    """The JWT is malformed or its signature is invalid. The reason is for the log."""


@lru_cache(maxsize=64)
def _protected(alg: str, kid: str, typ: str) -> str:
    return base64url(orjson.dumps({"alg": alg, "kid": kid, "typ": typ}))


def sign(key: SigningKey, claims: Mapping[str, Any], typ: str = "JWT") -> str:
    """A compact JWS (RFC 7515 §7.1). The key must not be retired."""
    assert key.private is not None
    signed = f"{_protected(key.alg, key.kid, typ)}.{base64url(orjson.dumps(claims))}"
    return f"{signed}.{base64url(_signature(key.alg, key.private, signed.encode()))}"


def _signature(alg: str, private: PrivateKey, data: bytes) -> bytes:
    if alg in _ECDSA:
        ecdsa, size = _ECDSA[alg]
        r, s = decode_dss_signature(cast(ec.EllipticCurvePrivateKey, private).sign(data, ecdsa))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    signature: bytes = _JWS.get_algorithm_by_name(alg).sign(data, private)
    return signature


@dataclass(frozen=True, slots=True)
class Header:
    """The protected header of an unverified JWT. Use it only to choose a key."""

    alg: str
    kid: str | None
    typ: str | None


def unverified_header(token: str) -> Header:
    """The header of a compact JWS (RFC 7515 §7.1).

    Raises BadJwt: not three parts of base64url, too long, an unsupported header parameter, or no `alg`.
    """
    header = _object(_part(token, 0))
    if "crit" in header or "b64" in header or "zip" in header:
        raise BadJwt("a header parameter that is not understood")
    alg, kid, typ = (header.get(name) for name in ("alg", "kid", "typ"))
    if not isinstance(alg, str) or not isinstance(kid, str | None) or not isinstance(typ, str | None):
        raise BadJwt("a header parameter of a wrong type")
    return Header(alg, kid, typ)


def unverified_claims(token: str) -> dict[str, Any]:
    """The unverified claims of a compact JWS.

    Use them only to find the key that verifies it. Raises BadJwt.
    """
    return _object(_part(token, 1))


def _part(token: str, index: int) -> str:
    if len(token) > MAX_JWT or not _COMPACT.fullmatch(token):
        raise BadJwt("not a compact JWS")
    return token.split(".")[index]


def _object(encoded: str) -> dict[str, Any]:
    try:
        return parse_object(from_base64url(encoded))
    except (BadJson, ValueError) as fault:
        raise BadJwt(str(fault)) from None


def verify(token: str, key: PublicKey, alg: str) -> SignedClaims:
    """The claims of a JWT whose header has *alg* and whose signature *key* verifies. Raises BadJwt.

    The caller checks times, issuer and audience, which depend on the token's purpose.
    """
    return _verified(token, alg, lambda: _JWS.decode(token, key, algorithms=[alg]))


def verify_with_secret(token: str, secret: str, alg: str) -> SignedClaims:
    """As `verify`, for HS256, HS384 and HS512 (OpenID Connect Core 1.0 §10.1). Raises BadJwt."""
    return _verified(token, alg, lambda: _SECRET_JWS.decode(token, secret.encode(), algorithms=[alg]))


def _verified(token: str, alg: str, decode: Callable[[], bytes]) -> SignedClaims:
    header = unverified_header(token)
    if header.alg != alg:
        raise BadJwt(f"signed with {header.alg}, where {alg} is wanted")
    try:
        return SignedClaims(parse_object(decode()))
    except (jwt.PyJWTError, BadJson, ValueError) as error:
        raise BadJwt(str(error)) from None


def is_for(claims: Json, audience: str) -> bool:
    """Whether `aud`, a string or a list of strings, contains *audience* (RFC 7519 §4.1.3)."""
    aud = claims.get("aud")
    return aud == audience or (isinstance(aud, list) and audience in cast(list[object], aud))
