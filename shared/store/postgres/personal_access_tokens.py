"""Personal access tokens in PostgreSQL: one statement each."""

from collections.abc import Sequence
from uuid import UUID

from shared.store.ports.personal_access_tokens import (
    TOKEN_USE_NOTED_EVERY,
    PersonalAccessToken,
    PresentedToken,
)
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database
from shared.store.postgres.user_rows import user_of, user_with_groups

_STANDS = "t.expires_at > now() AND t.epoch = u.epoch AND u.disabled_at IS NULL"
_COLUMNS = "t.token_id, t.name, t.scope, t.created_at, t.expires_at, t.last_used_at"

# FOR SHARE: a transaction that ends everything of the user waits for the new token, and ends it, too.
_ADD = """
WITH owner AS MATERIALIZED (
  SELECT user_id, epoch FROM users WHERE user_id = $1 AND epoch = $2 AND disabled_at IS NULL FOR SHARE),
added AS (
  INSERT INTO personal_access_tokens (token_id, token_hash, user_id, name, scope, epoch, created_at,
                                      expires_at)
  SELECT $3, $4, user_id, $5, $6, epoch, $7, $8 FROM owner
  RETURNING token_id, user_id, name, scope, expires_at)
INSERT INTO audit (event, user_id, detail)
SELECT 'personal_access_token_added', user_id,
       jsonb_build_object('token_id', token_id, 'name', name, 'scope', scope, 'expires_at', expires_at)
  FROM added
RETURNING event"""

_OF_USER = f"""
SELECT {_COLUMNS} FROM personal_access_tokens t JOIN users u USING (user_id)
 WHERE t.user_id = $1 AND {_STANDS} ORDER BY t.created_at, t.token_id"""

_PRESENT = f"""
WITH presented AS (
  SELECT {_COLUMNS}, t.user_id FROM personal_access_tokens t JOIN users u USING (user_id)
   WHERE t.token_hash = $1 AND {_STANDS}),
noted AS (
  UPDATE personal_access_tokens t SET last_used_at = now() FROM presented p
   WHERE t.token_id = p.token_id AND (t.last_used_at IS NULL OR t.last_used_at <= now() - $2::interval))
SELECT t.token_id, t.name, t.scope, t.created_at AS made_at, t.expires_at, t.last_used_at,
       {user_with_groups("$3::boolean")}
  FROM presented t JOIN users u USING (user_id)"""

_REVOKE = """
WITH revoked AS (
  DELETE FROM personal_access_tokens WHERE user_id = $1 AND token_id = $2 RETURNING token_id, user_id, name)
INSERT INTO audit (event, user_id, detail)
SELECT 'personal_access_token_revoked', user_id, jsonb_build_object('token_id', token_id, 'name', name)
  FROM revoked
RETURNING event"""


def _token(row: Row, created_at: str = "created_at") -> PersonalAccessToken:
    return PersonalAccessToken(
        token_id=row["token_id"],
        name=row["name"],
        scope=tuple(row["scope"]),
        created_at=row[created_at],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
    )


class PostgresPersonalAccessTokens:
    """`PersonalAccessTokens` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user_id: UUID, epoch: int, token: PersonalAccessToken, token_hash: bytes) -> bool:
        row = await self._database.row(
            _ADD,
            user_id,
            epoch,
            token.token_id,
            token_hash,
            token.name,
            list(token.scope),
            token.created_at,
            token.expires_at,
        )
        return row is not None

    async def of_user(self, user_id: UUID) -> Sequence[PersonalAccessToken]:
        return [_token(row) for row in await self._database.rows(_OF_USER, user_id)]

    async def present(self, token_hash: bytes, *, with_groups: bool = False) -> PresentedToken | None:
        row = await self._database.row(_PRESENT, token_hash, TOKEN_USE_NOTED_EVERY, with_groups)
        return PresentedToken(_token(row, "made_at"), user_of(row)) if row else None

    async def revoke(self, user_id: UUID, token_id: UUID) -> bool:
        if await self._database.row_idempotent(_REVOKE, user_id, token_id) is not None:
            return True
        await self._database.confirm()
        return False
