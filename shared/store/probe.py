"""Whether the stores answer, and the time of their clocks."""

from datetime import datetime
from typing import cast

from shared.store.migrate import pending
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.faults import DEPENDENCY
from shared.store.postgres.transport.server_state import STATE_COLUMNS, timeout_fault
from shared.store.redis.transport.client import RedisClient

CONNECTION_LIMIT = """
SELECT least(
    current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0),
    nullif((SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user), -1),
    nullif((SELECT datconnlimit FROM pg_database WHERE datname = current_database()), -1)
) AS allowed"""


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

    async def connection_limit(self) -> int:
        """How many connections PostgreSQL allows this role at once. Raises Unavailable."""
        row = await self._database.row(CONNECTION_LIMIT)
        assert row is not None
        return cast(int, row["allowed"])

    async def eviction_policy(self) -> str:
        """Redis' `maxmemory-policy`. Raises Unavailable."""
        state: bytes = await self._redis.execute("INFO", "memory")
        _, _, policy = next(
            line.partition(b":") for line in state.splitlines() if line.startswith(b"maxmemory_policy:")
        )
        return policy.decode()
