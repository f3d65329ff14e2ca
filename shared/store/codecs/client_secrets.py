"""Client secrets as they are stored: hashes, with the ciphertext if the value itself is needed."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.codec.wrapping import NONCE_BYTES, CannotUnwrap, unwrap, wrap
from shared.model import Json
from shared.oauth.client.record import ClientSecret
from shared.store import Unavailable

Row = dict[str, str | None]


def _name(client_id: str) -> str:
    """The name that a ciphertext is bound to."""
    return f"client_secret:{client_id}"


class SecretRows:
    """Encrypts under the first secret key, and decrypts under any of them."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._secret_keys = secret_keys

    def write(self, client_id: str, client_secrets: Sequence[ClientSecret]) -> list[Row]:
        """Raises Unavailable if there is a value to encrypt, but no secret key."""
        return [self._written(client_id, secret) for secret in client_secrets]

    def _written(self, client_id: str, secret: ClientSecret) -> Row:
        expires_at = secret.expires_at.isoformat() if secret.expires_at else None
        row: Row = {"hash": secret.hash.hex(), "expires_at": expires_at}
        return row if secret.value is None else row | {"wrapped": self._wrap(client_id, secret.value)}

    def _wrap(self, client_id: str, value: str) -> str:
        if not self._secret_keys:
            raise Unavailable("OSTIARY_SECRET_KEY is not set: secrets that sign are encrypted with it")
        nonce = secrets.token_bytes(NONCE_BYTES)
        return wrap(self._secret_keys[0], nonce, _name(client_id), value.encode()).hex()

    def read(self, client_id: str, rows: Sequence[Json]) -> tuple[ClientSecret, ...]:
        """Raises Unavailable if no secret key decrypts a value."""
        return tuple(self._read(client_id, row) for row in rows)

    def _read(self, client_id: str, row: Json) -> ClientSecret:
        expires_at = row["expires_at"]
        return ClientSecret(
            bytes.fromhex(row["hash"]),
            datetime.fromisoformat(expires_at) if expires_at else None,
            self._unwrap(self._secret_keys, client_id, row["wrapped"]) if "wrapped" in row else None,
        )

    def _unwrap(self, secret_keys: Sequence[str], client_id: str, wrapped: str) -> str:
        try:
            return unwrap(secret_keys, _name(client_id), bytes.fromhex(wrapped)).decode()
        except CannotUnwrap:
            raise Unavailable(f"no OSTIARY_SECRET_KEY decrypts the secret of {client_id}") from None

    def rewrapped(self, client_id: str, rows: Sequence[Json]) -> list[dict[str, Any]] | None:
        """The rows encrypted under the first secret key. None: they already are."""
        anew = [dict(row) for row in rows]
        for row in anew:
            if "wrapped" in row and not self._is_under_first(client_id, row["wrapped"]):
                value = self._unwrap(self._secret_keys, client_id, row["wrapped"])
                row["wrapped"] = self._wrap(client_id, value)
        return anew if anew != list(rows) else None

    def _is_under_first(self, client_id: str, wrapped: str) -> bool:
        try:
            self._unwrap(self._secret_keys[:1], client_id, wrapped)
        except Unavailable:
            return False
        return True
