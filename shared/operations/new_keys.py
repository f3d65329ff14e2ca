"""Creates signing key pairs and sealing keys, and encrypts them for their rows."""

import secrets
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.codec.wrapping import NONCE_BYTES, wrap
from shared.oauth.tokens.keys import RSA_BITS, PrivateKey, public_jwk, thumbprint
from shared.operations.key_plan import SALT_ALGORITHM, SEALING_ALGORITHM, NewKey
from shared.store import StoredKey

SECRET_BYTES = 32
SEALING_KID_BYTES = 4
SALT_KID = "pairwise"  # the only row of its kind, whichever process creates it


def new_private_key(alg: str) -> PrivateKey:
    """A private key for *alg*. RSA takes 60 ms and more: call it in a thread. Raises ValueError."""
    match alg:
        case "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512":
            return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ES384":
            return ec.generate_private_key(ec.SECP384R1())
        case "ES512":
            return ec.generate_private_key(ec.SECP521R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
    raise ValueError(f"there are no keys for {alg}")


def new_signing_key(alg: str, secret_key: str, now: datetime, activates_at: datetime | None) -> StoredKey:
    """A new key pair, published now. Call it in a thread: RSA takes 60 ms and more."""
    private = new_private_key(alg)
    public = public_jwk(private.public_key())
    kid = thumbprint(public)
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return StoredKey(
        kid=kid,
        use="sig",
        alg=alg,
        public_jwk={**public, "kid": kid, "use": "sig", "alg": alg},
        private=wrap(secret_key, secrets.token_bytes(NONCE_BYTES), kid, der),
        published_at=now,
        activates_at=activates_at,
        retires_at=None,
    )


def new_sealing_key(secret_key: str, now: datetime, activates_at: datetime) -> StoredKey:
    """A new key for opaque access tokens."""
    kid = secrets.token_hex(SEALING_KID_BYTES)
    plain = secrets.token_bytes(SECRET_BYTES)
    return StoredKey(
        kid=kid,
        use="seal",
        alg=SEALING_ALGORITHM,
        public_jwk=None,
        private=wrap(secret_key, secrets.token_bytes(NONCE_BYTES), kid, plain),
        published_at=now,
        activates_at=activates_at,
        retires_at=None,
    )


def new_salt(secret_key: str, now: datetime) -> StoredKey:
    """The salt of pairwise subject identifiers."""
    plain = secrets.token_bytes(SECRET_BYTES)
    return StoredKey(
        kid=SALT_KID,
        use="salt",
        alg=SALT_ALGORITHM,
        public_jwk=None,
        private=wrap(secret_key, secrets.token_bytes(NONCE_BYTES), SALT_KID, plain),
        published_at=now,
        activates_at=now,
        retires_at=None,
    )


def new_key(new: NewKey, secret_key: str, now: datetime) -> StoredKey:
    """The key that a plan asks for. Call it in a thread: RSA takes 60 ms and more."""
    if new.alg == SEALING_ALGORITHM:
        return new_sealing_key(secret_key, now, new.activates_at or now)
    if new.alg == SALT_ALGORITHM:
        return new_salt(secret_key, now)
    return new_signing_key(new.alg, secret_key, now, new.activates_at)
