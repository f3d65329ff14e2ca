"""Values that wait in the database for a moment, such as mails: encrypted, each for its own row."""

import secrets
from collections.abc import Sequence
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from shared.codec.wrapping import NONCE_BYTES, CannotUnwrap, unwrap, wrap
from shared.store.ports.faults import Unavailable

ValueT = TypeVar("ValueT")


class SealedValues(Generic[ValueT]):
    """Encrypts values of a *kind* under the first secret key, and decrypts under any of them.

    *purpose* separates the tables: no row can be moved to another.
    """

    def __init__(self, secret_keys: Sequence[str], purpose: str, kind: type[ValueT]) -> None:
        self._secret_keys = secret_keys
        self._purpose = purpose
        self._adapter = TypeAdapter(kind)

    def write(self, row_id: UUID, value: ValueT) -> bytes:
        """Raises Unavailable if there is no secret key."""
        if not self._secret_keys:
            raise Unavailable(f"OSTIARY_SECRET_KEY is not set: a {self._purpose} is encrypted with it")
        plain = self._adapter.dump_json(value)
        return wrap(self._secret_keys[0], secrets.token_bytes(NONCE_BYTES), self._name(row_id), plain)

    def read(self, row_id: UUID, sealed: bytes) -> ValueT | None:
        """None: no secret key decrypts it, or another version wrote it."""
        try:
            return self._adapter.validate_json(unwrap(self._secret_keys, self._name(row_id), sealed))
        except (CannotUnwrap, ValidationError):
            return None

    def _name(self, row_id: UUID) -> str:
        """The name that a ciphertext is bound to."""
        return f"{self._purpose}:{row_id}"
