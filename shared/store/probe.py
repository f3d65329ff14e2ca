"""Whether the stores answer, and the time of their clocks."""

from datetime import datetime
from typing import cast

from shared.store.migrate import pending
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.faults import DEPENDENCY
from shared.store.postgres.transport.server_state import STATE_COLUMNS, timeout_fault
from shared.store.redis.transport.client import RedisClient


class Probe:
    """Checks for operators. No request uses it."""

    def __init__(self, database: Database, redis: RedisClient, direct_url: str) -> None:
        self._database = database
        self._redis = redis
        self._direct_url = direct_url

    async def database_time(self) -> datetime:
        """PostgreSQL's clock. Raises Unavailable."""
        row = await self._database.row("SELECT clock_timestamp() AS now")
        assert row is not None
        return cast(datetime, row["now"])

    async def server_faults(self) -> list[str]:
        """Faults of the server, read through the same connections as requests. Raises Unavailable."""
        row = await self._database.row(f"SELECT {STATE_COLUMNS}")
        assert row is not None
        return [fault for fault in (timeout_fault(row),) if fault is not None]

    async def missing_migrations(self) -> list[str]:
        """Raises Unavailable, MigrationError."""
        with DEPENDENCY:
            return await pending(self._direct_url)

    async def ping_redis(self) -> None:
        """Raises Unavailable."""
        await self._redis.execute("PING")
