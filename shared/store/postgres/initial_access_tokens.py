"""Initial access tokens in PostgreSQL, by their digest; each use is one statement."""

from datetime import datetime

from shared.model import Author
from shared.store.codecs.authors import author_detail
from shared.store.postgres.transport.database import Database

_ADD = """
WITH added AS (
   INSERT INTO initial_access_tokens (token_hash, uses_left, expires_at) VALUES ($1, $2, $3))
INSERT INTO audit (event, detail)
VALUES ('initial_access_token_added',
        jsonb_build_object('uses', $2::int, 'expires_at', $3::timestamptz) || $4)"""

_IS_GOOD = """
SELECT FROM initial_access_tokens WHERE token_hash = $1 AND uses_left > 0 AND expires_at > now()"""

# Concurrent statements wait for the row lock and re-check the new version, so the count is exact.
SPEND = """
UPDATE initial_access_tokens SET uses_left = uses_left - 1
 WHERE token_hash = $1 AND uses_left > 0 AND expires_at > now() RETURNING uses_left"""

AT_A_TIME = 500

_DELETE_EXPIRED = f"""
WITH expired AS MATERIALIZED (
  SELECT token_hash FROM initial_access_tokens WHERE expires_at < now()
   LIMIT {AT_A_TIME} FOR UPDATE SKIP LOCKED),
removed AS (
  DELETE FROM initial_access_tokens t USING expired e
   WHERE t.token_hash = e.token_hash RETURNING t.token_hash)
SELECT count(*) AS n FROM removed"""


class PostgresInitialAccessTokens:
    """`InitialAccessTokens` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, token_hash: bytes, uses: int, expires_at: datetime, *, by: Author | None = None
    ) -> None:
        await self._database.row(_ADD, token_hash, uses, expires_at, author_detail(by))

    async def is_good(self, token_hash: bytes) -> bool:
        return await self._database.row(_IS_GOOD, token_hash) is not None

    async def delete_expired(self) -> int:
        row = await self._database.row(_DELETE_EXPIRED)
        assert row is not None
        return int(row["n"])
