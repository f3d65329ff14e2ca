"""Leases in PostgreSQL: rows, because session locks do not work behind a transaction-mode pooler."""

from datetime import timedelta
from uuid import UUID

from shared.store.postgres.transport.database import Database

_TAKE = """
INSERT INTO leases AS l (name, holder, expires_at) VALUES ($1, $2, now() + $3::interval)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
 WHERE l.holder = excluded.holder OR l.expires_at < now()
RETURNING name"""


class PostgresLeases:
    """`Leases` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, name: str, holder: UUID, period: timedelta) -> bool:
        return await self._database.row(_TAKE, name, holder, period) is not None
