"""Signing and sealing keys in PostgreSQL. Their private halves are always encrypted here."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import asyncpg

from shared.store import KeyChange, StoredKey
from shared.store.postgres.changes import BUMP, KEYS
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction

MAKING_KEYS = 30  # seconds: RSA keys are made while the table is locked, on slow processors too

_COLUMNS = "kid, use, alg, public_jwk, private, published_at, activates_at, retires_at, is_compromised"
_LOAD = f"SELECT {_COLUMNS} FROM keys ORDER BY published_at, kid"
_LOCK = "LOCK TABLE keys IN SHARE ROW EXCLUSIVE MODE"  # readers go on; of many writers one decides
_WRITE = f"""
INSERT INTO keys ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (kid) DO UPDATE SET private = excluded.private, activates_at = excluded.activates_at,
   retires_at = excluded.retires_at, is_compromised = excluded.is_compromised"""
_TELL = f"WITH {BUMP.format(name='$1::text')} SELECT value FROM bumped"
_AUDIT = "INSERT INTO audit (event, detail) VALUES ($1, $2)"


def _stored(row: asyncpg.Record) -> StoredKey:
    return StoredKey(**dict(row))


class _KeyChange:
    """The key table within a transaction that has locked it."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    async def load(self) -> tuple[StoredKey, ...]:
        return tuple(_stored(row) for row in await self._connection.fetch(_LOAD))

    async def write(self, keys: Sequence[StoredKey], event: str) -> None:
        # One order for all: those that become active leave the place of `next` before another takes it.
        for key in sorted(keys, key=lambda key: key.activates_at is None):
            await self._connection.execute(
                _WRITE,
                key.kid,
                key.use,
                key.alg,
                key.public_jwk,
                key.private,
                key.published_at,
                key.activates_at,
                key.retires_at,
                key.is_compromised,
            )
        await self._connection.execute(_AUDIT, event, {"kids": [key.kid for key in keys]})
        await self._connection.execute(_TELL, KEYS)  # last: until the commit no other change can be told


class PostgresKeys:
    """`Keys` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> tuple[StoredKey, ...]:
        return tuple(_stored(row) for row in await self._database.rows(_LOAD))

    @asynccontextmanager
    async def change(self) -> AsyncIterator[KeyChange]:
        async with self._database.transaction() as connection:
            await connection.extend(MAKING_KEYS)
            await connection.execute(_LOCK)
            yield cast(KeyChange, _KeyChange(connection))
