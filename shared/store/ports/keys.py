"""Ports: signing and sealing keys."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from shared.model import (
    Json,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A row of the key table. `private` is encrypted under the secret key, and empty once it is erased.

    The `salt` of pairwise subject identifiers is a row, too. There is one, and it never changes.
    """

    kid: str
    use: Literal["sig", "seal", "salt"]
    alg: str
    public_jwk: Json | None
    private: bytes
    published_at: datetime
    activates_at: datetime | None  # None: it is `next`, without a date
    retires_at: datetime | None  # when its last token has expired and it leaves the JWK Set
    is_compromised: bool = False


class Keys(Protocol):
    """Signing and sealing keys. PostgreSQL."""

    async def load(self) -> tuple[StoredKey, ...]: ...

    def change(self) -> AbstractAsyncContextManager["KeyChange"]:
        """A transaction that has locked the key table: read, decide, write."""


class KeyChange(Protocol):
    """The key table, locked."""

    async def load(self) -> tuple[StoredKey, ...]: ...

    async def write(self, keys: Sequence[StoredKey], event: str) -> None:
        """Insert or update each key by its kid, with an audit row, and notify every process."""
