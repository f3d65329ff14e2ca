"""Encryption to a client (RFC 7516) with its registered public key."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from shared.model import Json
from shared.oauth.client.jwks import MAX_KEYS, BadKey, public_key

_RSA = ("RSA-OAEP", "RSA-OAEP-256")
_EC = ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW")
ENCRYPTION_ALGORITHMS = (*_RSA, *_EC)
CONTENT_ENCRYPTIONS = (
    *("A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"),
    *("A128GCM", "A192GCM", "A256GCM"),
)
DEFAULT_CONTENT_ENCRYPTION = "A128CBC-HS256"  # OpenID Connect Registration 1.0 §2


@dataclass(frozen=True, slots=True)
class Recipient:
    """The recipient's key, and the algorithms of a JWE."""

    alg: str
    enc: str
    kid: str | None
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey = field(repr=False)


def recipient(jwks: Json, alg: str, enc: str) -> Recipient:
    """The first key of a JWK Set that *alg* can encrypt to, preferably one marked `enc`. Raises BadKey."""
    candidates = sorted(_candidates(jwks, alg, enc), key=lambda candidate: candidate[0])
    if not candidates:
        raise BadKey(f"has no key for {alg}")
    return candidates[0][1]


def _candidates(jwks: Json, alg: str, enc: str) -> Iterator[tuple[bool, Recipient]]:
    listed = jwks.get("keys")
    for jwk in listed[:MAX_KEYS] if isinstance(listed, list) else ():
        if not isinstance(jwk, dict) or jwk.get("use", "enc") != "enc" or jwk.get("alg", alg) != alg:
            continue
        try:
            key = public_key(jwk)
        except BadKey:
            continue
        kid = jwk.get("kid")
        if isinstance(key, ed25519.Ed25519PublicKey) or not isinstance(kid, str | None):
            continue
        if isinstance(key, rsa.RSAPublicKey) == (alg in _RSA):
            yield "use" not in jwk, Recipient(alg, enc, kid, key)


def encrypt(to: Recipient, payload: str, cty: str | None = None, typ: str | None = None) -> str:
    """A compact JWE (RFC 7516 §7.1); *cty* is `JWT` around a signed JWT (RFC 7519 §5.2)."""
    optional = {"kid": to.kid, "cty": cty, "typ": typ}
    header = {"alg": to.alg, "enc": to.enc, **{name: value for name, value in optional.items() if value}}
    key = RSAKey.import_key(to.key) if isinstance(to.key, rsa.RSAPublicKey) else ECKey.import_key(to.key)
    return jwe.encrypt_compact(header, payload.encode(), key, algorithms=[to.alg, to.enc])
