"""Public keys of clients, as JWKs: RFC 7517, RFC 7518 §6, RFC 8037 §2. Only keys that are worth trusting."""

from collections.abc import Callable, Mapping
from typing import cast

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from shared.model import Json
from shared.oauth.keys import PublicKey, from_base64url

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 4096  # beyond, one verification holds the process up
RSA_EXPONENT = 65537
MAX_KEYS = 20

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MAX_MEMBER = 1024

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
"""The y coordinates of Ed25519's eight points of small order: under such a key any signature may hold."""


class BadJwk(Exception):
    """Not a public key that may verify anything. The reason is for the client's developer."""


def _bytes(jwk: Json, name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str) or len(value) > _MAX_MEMBER:
        raise BadJwk(f"{name} is missing or too long")
    try:
        return from_base64url(value)
    except ValueError:
        raise BadJwk(f"{name} is not base64url") from None


def _rsa(jwk: Json) -> rsa.RSAPublicKey:
    n, e = (int.from_bytes(_bytes(jwk, name), "big") for name in ("n", "e"))
    if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS:
        raise BadJwk(f"an RSA key must have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    if e != RSA_EXPONENT:
        raise BadJwk(f"the exponent of an RSA key must be {RSA_EXPONENT}")
    try:
        return rsa.RSAPublicNumbers(e, n).public_key()
    except ValueError:
        raise BadJwk("not an RSA key") from None


def _p256(jwk: Json) -> ec.EllipticCurvePublicKey:
    if jwk.get("crv") != "P-256":
        raise BadJwk("the curve must be P-256")
    x, y = (_bytes(jwk, name) for name in ("x", "y"))
    if len(x) != 32 or len(y) != 32:
        raise BadJwk("a coordinate has the wrong length")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
    except ValueError:
        raise BadJwk("the point is not on the curve") from None


def _ed25519(jwk: Json) -> ed25519.Ed25519PublicKey:
    if jwk.get("crv") != "Ed25519":
        raise BadJwk("the curve must be Ed25519")
    x = _bytes(jwk, "x")
    y = int.from_bytes(x, "little") & (2**255 - 1)
    if len(x) != 32 or y >= _FIELD or y in _SMALL_ORDER:
        raise BadJwk("not a key that is safe to use")
    return ed25519.Ed25519PublicKey.from_public_bytes(x)


_KINDS: Mapping[str, Callable[[Json], PublicKey]] = {"RSA": _rsa, "EC": _p256, "OKP": _ed25519}
_KINDS_OF_ALGORITHM = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


def public_key(jwk: Json) -> PublicKey:
    """The key. Raises BadJwk: private or symmetric, weak, malformed, or of a kind that is not used here."""
    if not _PRIVATE_MEMBERS.isdisjoint(jwk):
        raise BadJwk("a private or symmetric key was given away: make another")
    kty = jwk.get("kty")
    if not isinstance(kty, str) or kty not in _KINDS:
        raise BadJwk("this key type is not supported")
    return _KINDS[kty](jwk)


def _fits(jwk: Json, alg: str, kid: str | None) -> bool:
    return (
        jwk.get("kty") == _KINDS_OF_ALGORITHM.get(alg)
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", alg) == alg
        and (kid is None or jwk.get("kid") == kid)
    )


def keys_for(jwks: Json, alg: str, kid: str | None) -> list[PublicKey]:
    """The keys of a JWK Set that may verify a signature made with *alg*; those that are unfit are left out.

    *kid*, where the signature names one, only chooses among these keys: it reaches nothing else.
    """
    listed = jwks.get("keys")
    if not isinstance(listed, list):
        return []
    found = []
    for jwk in cast(list[object], listed)[:MAX_KEYS]:
        if not isinstance(jwk, Mapping) or not _fits(jwk, alg, kid):
            continue
        try:
            found.append(public_key(jwk))
        except BadJwk:
            continue
    return found
