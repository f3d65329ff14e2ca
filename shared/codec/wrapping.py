"""Encryption of keys at rest: AES-256-GCM with a key derived from the deployment's secret key."""

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.process.operator_error import OperatorError

NONCE_BYTES = 12
_INFO = b"ostiary: keys at rest, version 1"


class CannotUnwrap(OperatorError):
    """No secret key decrypts the value: it was encrypted with another one, or the row was altered."""

    template = "OSTIARY_SECRET_KEY does not decrypt the key {}, which was encrypted with another secret"


def _cipher(secret_key: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=_INFO).derive(secret_key.encode()))


def wrap(secret_key: str, nonce: bytes, kid: str, plain: bytes) -> bytes:
    """*plain*, encrypted for the row with this *kid*; *nonce* is 12 random bytes."""
    return nonce + _cipher(secret_key).encrypt(nonce, plain, kid.encode())


def unwrap(secret_keys: Sequence[str], kid: str, wrapped: bytes) -> bytes:
    """The value that was wrapped with one of the secret keys. Raises CannotUnwrap."""
    for secret_key in secret_keys:
        try:
            return _cipher(secret_key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], kid.encode())
        except InvalidTag:
            continue
    raise CannotUnwrap(kid)
