"""Grants in PostgreSQL, and the statements that validate tokens. `redemption` redeems codes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.model import Author, Authorization, AuthorizationCode, User
from shared.oauth.tokens.access_token import AccessToken
from shared.store import (
    Attempt,
    GrantRow,
    NewFamily,
    Redeemed,
    SpentCode,
    TokenOwner,
    TokenUser,
    Unavailable,
)
from shared.store.codecs.authorizations import details, restored_authentication
from shared.store.codecs.authors import author_detail
from shared.store.postgres.live_grants import GRANT, GRANT_STANDS
from shared.store.postgres.memberships import asks_for_memberships
from shared.store.postgres.redemption import REDEEM, REVOKE_REPLAYED
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database
from shared.store.postgres.user_rows import user_of, user_with_groups

COUNTED = 10_000  # the most grants of a client that are read to count them

# If it is sent again after a lost answer, it finds its own row and changes nothing.
_ADD = f"""
WITH made AS (
  INSERT INTO grants AS g (grant_id, client_id, redirect_uri, user_id, sid, is_offline, scope, claims, epoch,
                           client_epoch, expires_at)
  SELECT $1, $2, $3, u.user_id, s.sid, false, $6, $7, u.epoch, c.epoch, $9
    FROM users u JOIN sessions s USING (user_id) JOIN clients c ON c.client_id = $2 AND c.epoch = $10
   WHERE u.user_id = $4 AND u.disabled_at IS NULL AND u.epoch = $8
     AND s.sid = $5 AND s.ended_at IS NULL AND s.epoch = u.epoch
     FOR SHARE OF u, s
  ON CONFLICT (grant_id) DO UPDATE SET grant_id = g.grant_id
  RETURNING g.grant_id, g.user_id, g.client_id, xmax = 0 AS is_new),
audited AS (
  INSERT INTO audit (event, user_id, client_id, detail)
  SELECT 'grant_made', user_id, client_id, jsonb_build_object('grant_id', grant_id) FROM made WHERE is_new)
SELECT {user_with_groups("$11::boolean")} FROM made JOIN users u USING (user_id)"""

_FIND_SPENT = "SELECT grant_id, client_id, redirect_uri, code_challenge FROM grants WHERE code_hash = $1"

_REVOKE = """
WITH revoked AS (
  UPDATE grants SET revoked_at = now() WHERE grant_id = $1 AND revoked_at IS NULL
  RETURNING grant_id, user_id, client_id)
INSERT INTO audit (event, user_id, client_id, detail)
SELECT 'grant_revoked', user_id, client_id,
       jsonb_build_object('grant_id', grant_id, 'reason', $2::text) || $3::jsonb
  FROM revoked
RETURNING event"""

_ROW = f"""g.grant_id, g.client_id, g.user_id, g.sid, g.scope, g.is_offline, g.created_at, g.expires_at
  FROM {GRANT}
 WHERE {GRANT_STANDS}"""
_PAGE = "AND g.grant_id > $1 ORDER BY g.grant_id LIMIT $2"
_FIND_ROW = f"SELECT {_ROW} AND g.grant_id = $1"
_LIST_OF_USER = f"SELECT {_ROW} AND g.user_id = $3 AND ($4::text IS NULL OR g.client_id = $4) {_PAGE}"
_LIST_OF_CLIENT = f"SELECT {_ROW} AND g.client_id = $3 {_PAGE}"

_COUNT_OF_CLIENT = f"""
SELECT count(*) AS n
  FROM (SELECT client_id, client_epoch, expires_at, revoked_at
          FROM grants WHERE client_id = $1 LIMIT {COUNTED}) g
  JOIN clients c USING (client_id)
 WHERE g.revoked_at IS NULL AND g.expires_at > now() AND g.client_epoch = c.epoch"""

_REVOKE_ACCESS_TOKEN = """
WITH revoked AS (
  INSERT INTO revoked_access_tokens (token_id, expires_at) VALUES ($1, $2)
  ON CONFLICT DO NOTHING RETURNING token_id)
INSERT INTO audit (event, client_id, detail)
SELECT 'access_token_revoked', $3, jsonb_build_object('token_id', token_id) FROM revoked
RETURNING event"""

_OF_TOKEN = f"""
  FROM {GRANT}
 WHERE g.grant_id = $1 AND g.client_id = $2 AND c.disabled_at IS NULL AND {GRANT_STANDS}
   AND NOT EXISTS (SELECT FROM revoked_access_tokens WHERE token_id = $3)"""

_OWNER = f"SELECT u.user_id, u.username, g.claims {_OF_TOKEN}"
_TOKEN_USER = f"""
SELECT {user_with_groups(asks_for_memberships("$4", "userinfo"))}, g.claims {_OF_TOKEN}"""

_OWNER_OF_CLIENT = """
SELECT NULL AS user_id, NULL AS username, NULL::jsonb AS claims FROM clients
 WHERE client_id = $1 AND disabled_at IS NULL AND deleted_at IS NULL
   AND first_epoch <= coalesce($3, first_epoch)
   AND NOT EXISTS (SELECT FROM revoked_access_tokens WHERE token_id = $2)"""


def _grant_row(row: Row) -> GrantRow:
    return GrantRow(**{**dict(row), "scope": tuple(row["scope"])})


class PostgresGrants:
    """`Grants` over PostgreSQL: one statement each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def redeem(
        self,
        attempt: Attempt,
        code_hash: bytes,
        code: AuthorizationCode,
        expires_at: datetime,
        family: NewFamily | None,
        *,
        with_groups: bool = False,
    ) -> Redeemed | None:
        authorization = code.authorization
        row = await self._in_time(
            REDEEM,
            attempt,
            attempt.attempt_id,
            code_hash,
            authorization.client_id,
            code.redirect_uri,
            code.code_challenge,
            authorization.user_id,
            authorization.sid,
            authorization.is_offline,
            authorization.scope,
            details(authorization),
            code.epoch,
            expires_at,
            family and family.family_hash,
            family and family.token_hash,
            family and family.idle,
            family and family.expires_at,
            code.unknown_attempts,
            authorization.client_epoch,
            family and family.sender_key,
            with_groups,
        )
        if row["grant_id"] is None:
            return None
        return Redeemed(
            grant_id=row["grant_id"], is_mine=row["is_mine"], is_replay=row["is_replay"], user=user_of(row)
        )

    async def revoke_replayed(self, code_hash: bytes, client_id: str, attempt: Attempt) -> None:
        await self._in_time(REVOKE_REPLAYED, attempt, code_hash, client_id)

    async def _in_time(self, sql: str, attempt: Attempt, *arguments: Any) -> Row:
        """Run a statement whose last arguments are the request's completion and its deadline.

        Both are times of the server's clock, so a statement that waits or is sent twice gets the same
        verdict.
        """
        clock = self._database.clock
        completed_at = None if attempt.completed_at is None else clock.at(attempt.completed_at)
        row = await self._database.row_idempotent(
            sql, *arguments, completed_at, clock.deadline(attempt.deadline)
        )
        assert row is not None
        if row["is_late"]:
            raise Unavailable("PostgreSQL: the statement arrived after the deadline of its request")
        return row

    async def add(
        self,
        grant_id: UUID,
        authorization: Authorization,
        redirect_uri: str,
        epoch: int,
        expires_at: datetime,
        *,
        with_groups: bool = False,
    ) -> User | None:
        row = await self._database.row_idempotent(
            _ADD,
            grant_id,
            authorization.client_id,
            redirect_uri,
            authorization.user_id,
            authorization.sid,
            authorization.scope,
            details(authorization),
            epoch,
            expires_at,
            authorization.client_epoch,
            with_groups,
        )
        return user_of(row) if row else None

    async def find_spent(self, code_hash: bytes) -> SpentCode | None:
        row = await self._database.row(_FIND_SPENT, code_hash)
        return SpentCode(**dict(row)) if row else None

    async def revoke(self, grant_id: UUID, reason: str, *, by: Author | None = None) -> None:
        await self._database.end(_REVOKE, grant_id, reason, author_detail(by))

    async def list_of_user(
        self, user_id: UUID, after: UUID, limit: int, client_id: str | None = None
    ) -> Sequence[GrantRow]:
        rows = await self._database.rows(_LIST_OF_USER, after, limit, user_id, client_id)
        return [_grant_row(row) for row in rows]

    async def list_of_client(self, client_id: str, after: UUID, limit: int) -> Sequence[GrantRow]:
        rows = await self._database.rows(_LIST_OF_CLIENT, after, limit, client_id)
        return [_grant_row(row) for row in rows]

    async def get_live(self, grant_id: UUID) -> GrantRow | None:
        row = await self._database.row(_FIND_ROW, grant_id)
        return _grant_row(row) if row else None

    async def count_of_client(self, client_id: str) -> int:
        row = await self._database.row(_COUNT_OF_CLIENT, client_id)
        return int(row["n"]) if row else 0

    async def revoke_access_token(self, token_id: UUID, expires_at: datetime, client_id: str) -> None:
        await self._database.end(_REVOKE_ACCESS_TOKEN, token_id, expires_at, client_id)

    async def holds(self, token: AccessToken) -> bool:
        return await self.find_owner(token) is not None

    async def find_owner(self, token: AccessToken) -> TokenOwner | None:
        if token.grant_id is None:
            row = await self._database.row(
                _OWNER_OF_CLIENT, token.client_id, token.token_id, token.client_epoch
            )
        else:
            row = await self._database.row(_OWNER, token.grant_id, token.client_id, token.token_id)
        if row is None:
            return None
        stored = row["claims"]
        return TokenOwner(
            row["user_id"], row["username"], restored_authentication(stored) if stored else None
        )

    async def find_user(self, token: AccessToken, *, with_groups: bool = False) -> TokenUser | None:
        row = await self._database.row(
            _TOKEN_USER, token.grant_id, token.client_id, token.token_id, with_groups
        )
        if row is None:
            return None
        stored = row["claims"]
        return TokenUser(
            user=user_of(row), authentication=restored_authentication(stored), requested=stored["userinfo"]
        )
