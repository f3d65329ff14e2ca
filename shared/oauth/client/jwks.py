"""The public keys of a client (RFC 7517).

Weak, private and malformed keys are rejected. Keys of an unknown kind are ignored (§5).
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from shared.codec.base64url import from_base64url
from shared.model import Json
from shared.oauth.tokens.jwt import BadJwt, SignedClaims, unverified_header, verify
from shared.oauth.tokens.keys import PublicKey

MAX_KEYS = 20
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 4096
RSA_EXPONENT = 65537
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})  # RFC 7518 §6, AKP
_USED = frozenset({"kty", "use", "alg", "kid", "n", "e", "crv", "x", "y"})
_MAX_MEMBER = 1024

_CURVES: dict[str, tuple[type[ec.EllipticCurve], str]] = {
    "P-256": (ec.SECP256R1, "ES256"),
    "P-384": (ec.SECP384R1, "ES384"),
    "P-521": (ec.SECP521R1, "ES512"),
}
_FIELD = 2**255 - 19
_SMALL_ORDER = frozenset(
    {
        0,
        1,
        _FIELD - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)
"""The y coordinates of Ed25519's eight points of small order. Under such a key, any signature may verify."""

_RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_SIGNING_ALGORITHMS = frozenset(
    {*_RSA_ALGORITHMS, *(alg for _, alg in _CURVES.values()), "EdDSA", "Ed25519", "HS256", "HS384", "HS512"}
)


class BadKey(Exception):
    """A key is invalid. The message is the end of a sentence about it."""


class UnknownKey(BadKey):
    """The type, curve or use of the key is unknown here (RFC 7517 §5)."""


def _bytes(jwk: Json, member: str) -> bytes:
    value = jwk.get(member)
    if not isinstance(value, str) or not value:
        raise BadKey(f"lacks {member}")
    try:
        return from_base64url(value)
    except ValueError:
        raise BadKey(f"has a {member} that is not base64url") from None


def _number(jwk: Json, member: str) -> int:
    return int.from_bytes(_bytes(jwk, member), "big")


def _rsa(jwk: Json) -> rsa.RSAPublicKey:
    n, e = _number(jwk, "n"), _number(jwk, "e")
    if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS:
        raise BadKey(f"must have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    if e != RSA_EXPONENT:
        raise BadKey(f"must have the exponent {RSA_EXPONENT}")
    if n % 2 == 0:
        raise BadKey("has an even modulus")
    return rsa.RSAPublicNumbers(e, n).public_key()


def _ed25519(jwk: Json) -> ed25519.Ed25519PublicKey:
    x = _bytes(jwk, "x")
    y = int.from_bytes(x, "little") & (2**255 - 1)
    if y >= _FIELD or y in _SMALL_ORDER:
        raise BadKey("is a point that is not safe to use")
    return ed25519.Ed25519PublicKey.from_public_bytes(x)


def public_key(jwk: Json) -> PublicKey:
    """The public key of a JWK: RSA, EC on P-256, P-384 or P-521, or Ed25519. Raises BadKey, UnknownKey."""
    if PRIVATE_MEMBERS.intersection(jwk):
        raise BadKey("holds private members: send the public key only")
    try:
        match jwk.get("kty"):
            case "RSA":
                return _rsa(jwk)
            case "EC" if isinstance(crv := jwk.get("crv"), str) and crv in _CURVES:
                curve = _CURVES[crv][0]()
                return ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), curve).public_key()
            case "OKP" if jwk.get("crv") == "Ed25519":
                return _ed25519(jwk)
    except ValueError as error:
        raise BadKey(f"is not a key: {error}"[:80]) from None
    is_named = isinstance(jwk.get("kty"), str) and isinstance(jwk.get("crv", ""), str)
    raise (UnknownKey if is_named else BadKey)("is of a type or on a curve that is not supported")


def _algorithms(key: PublicKey) -> tuple[str, ...]:
    match key:
        case rsa.RSAPublicKey():
            return _RSA_ALGORITHMS
        case ec.EllipticCurvePublicKey():
            return tuple(alg for curve, alg in _CURVES.values() if isinstance(key.curve, curve))
        case ed25519.Ed25519PublicKey():
            return ("EdDSA", "Ed25519")


def _check(jwk: object) -> None:
    if not isinstance(jwk, dict):
        raise BadKey("is not an object")
    key = public_key(jwk)
    for member, name in (("kid", "a kid"), ("use", "a use"), ("alg", "an alg")):
        if not isinstance(jwk.get(member, ""), str):
            raise BadKey(f"has {name} that is not a string")
    if jwk.get("use", "sig") not in ("sig", "enc"):
        raise UnknownKey("has a use that is neither sig nor enc")
    alg, fitting = jwk.get("alg"), _algorithms(key)
    if jwk.get("use") == "enc" or alg is None or alg in fitting:
        return
    if alg in _SIGNING_ALGORITHMS:
        raise BadKey("has an alg that does not fit its type")
    raise UnknownKey("has an alg that verifies no signature here")


def jwks_faults(jwks: Json) -> list[tuple[str, str]]:
    """The faults of a JWK Set, each with the key's path below `jwks`.

    Unknown kinds of keys are not faults.
    """
    keys: Any = jwks.get("keys")
    if not isinstance(keys, list) or not keys:
        return [("keys", "must be a list of at least one key")]
    if len(keys) > MAX_KEYS:
        return [("keys", f"has more than {MAX_KEYS} keys")]
    faults: list[tuple[str, str]] = []
    kids: set[str] = set()
    for index, jwk in enumerate(keys):
        try:
            _check(jwk)
        except UnknownKey:
            continue
        except BadKey as fault:
            faults.append((f"keys.{index}", str(fault)))
            continue
        if kid := jwk.get("kid"):
            if kid in kids:
                faults.append((f"keys.{index}", "has the kid of another key"))
            kids.add(kid)
    return faults


def can_verify(jwks: Json, algorithms: Iterable[str]) -> bool:
    """Whether a key of the set verifies signatures made with one of *algorithms*."""
    return any(keys_for(jwks, alg, None) for alg in algorithms)


def _may_verify(jwk: Json, kid: str | None) -> bool:
    return jwk.get("use", "sig") == "sig" and (kid is None or jwk.get("kid") == kid)


def verify_with(token: str, jwks: Json) -> SignedClaims:
    """The claims of a JWT, verified with a key of *jwks* and the algorithm in its header. Raises BadJwt.

    The caller checks the algorithm first.
    """
    header = unverified_header(token)
    for key in keys_for(jwks, header.alg, header.kid):
        with suppress(BadJwt):
            return verify(token, key, header.alg)
    raise BadJwt("no key of the client verifies it")


def readable(fetched: object) -> Json:
    """A fetched JWK Set, reduced to the members that are used (RFC 7517 §5). Raises BadKey."""
    listed = cast(dict[str, object], fetched).get("keys") if isinstance(fetched, dict) else None
    if not isinstance(listed, list):
        raise BadKey("is not a JWK Set")
    keys = [key for key in cast(list[object], listed)[:MAX_KEYS] if isinstance(key, dict)]
    return {
        "keys": [
            {
                name: value
                for name, value in cast(dict[str, object], key).items()
                if name in _USED and isinstance(value, str) and len(value) <= _MAX_MEMBER
            }
            for key in keys
            if not PRIVATE_MEMBERS.intersection(key)
        ]
    }


def keys_for(jwks: Json, alg: str, kid: str | None) -> list[PublicKey]:
    """The keys of a JWK Set that may verify a signature made with *alg*, without unsuitable ones.

    *kid*, if the signature has one, selects among these keys and is used for nothing else.
    """
    listed = jwks.get("keys")
    keys: list[PublicKey] = []
    for jwk in listed[:MAX_KEYS] if isinstance(listed, list) else ():
        if not isinstance(jwk, dict) or not _may_verify(jwk, kid) or jwk.get("alg", alg) != alg:
            continue
        with suppress(BadKey):
            key = public_key(jwk)
            if alg in _algorithms(key):
                keys.append(key)
    return keys
