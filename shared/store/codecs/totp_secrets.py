"""Secrets of authenticator apps as they are stored: encrypted, each for its own row."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from shared.codec.wrapping import NONCE_BYTES, CannotUnwrap, unwrap, wrap
from shared.store import Unavailable


class TotpSecrets:
    """Encrypts under the first secret key, and decrypts under any of them."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._secret_keys = secret_keys

    def write(self, credential_id: UUID, secret: bytes) -> str:
        """Raises Unavailable if there is no secret key."""
        if not self._secret_keys:
            raise Unavailable(
                "OSTIARY_SECRET_KEY is not set: secrets of second factors are encrypted with it"
            )
        nonce = secrets.token_bytes(NONCE_BYTES)
        return wrap(self._secret_keys[0], nonce, _name(credential_id), secret).hex()

    def read(self, credential_id: UUID, wrapped: str) -> bytes:
        """Raises Unavailable if no secret key decrypts the secret."""
        try:
            return unwrap(self._secret_keys, _name(credential_id), bytes.fromhex(wrapped))
        except CannotUnwrap:
            raise Unavailable(f"no OSTIARY_SECRET_KEY decrypts the credential {credential_id}") from None

    def is_under_first(self, credential_id: UUID, wrapped: str) -> bool:
        """Whether the first secret key decrypts the secret."""
        try:
            unwrap(self._secret_keys[:1], _name(credential_id), bytes.fromhex(wrapped))
        except CannotUnwrap:
            return False
        return True


def _name(credential_id: UUID) -> str:
    """The name that a ciphertext is bound to."""
    return f"totp:{credential_id}"
