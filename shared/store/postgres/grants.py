"""Grants in PostgreSQL: the statement that redeems a code, and the one that every token is held against."""

from datetime import datetime
from uuid import UUID

from shared.model import AccessToken, Authorization, AuthorizationCode, User
from shared.store import NewFamily, Redeemed, SpentCode, Standing
from shared.store.authorizations import details
from shared.store.postgres.connection import Row
from shared.store.postgres.database import Database

USER = "u.user_id, u.username, u.claims AS user_claims, u.epoch, u.claims_version, u.created_at, u.updated_at"
"""The columns of a user beside those of a grant; the user is not disabled."""

SWEEP_TIMEOUT = 60.0  # seconds

GRANT_STANDS = """
      g.revoked_at IS NULL AND g.expires_at > now() AND g.epoch = u.epoch AND u.disabled_at IS NULL
  AND (g.is_offline OR s.sid IS NOT NULL AND s.ended_at IS NULL)"""
"""State is compared at use: over grants g, users u, and sessions s as SESSION joins them."""

SESSION = "LEFT JOIN sessions s ON s.sid = g.sid AND NOT g.is_offline"

# FOR SHARE: whoever ends the session, or all of the user's, waits for this grant and tells its client.
# A replay meets the row of the first redemption and revokes it, in the same statement. A statement that is
# sent again after a lost answer meets its own row by the grant id: nothing changes.
_REDEEM = f"""
WITH redeemed AS (
  INSERT INTO grants AS g (grant_id, code_hash, client_id, redirect_uri, code_challenge, user_id, sid,
                           is_offline, scope, claims, epoch, expires_at)
  SELECT $1, $2, $3, $4, $5, u.user_id, s.sid, $8, $9, $10, u.epoch, $12
    FROM users u JOIN sessions s USING (user_id)
   WHERE u.user_id = $6 AND u.disabled_at IS NULL AND u.epoch = $11
     AND s.sid = $7 AND s.ended_at IS NULL AND s.epoch = u.epoch
     FOR SHARE OF u, s
  ON CONFLICT (code_hash) DO UPDATE SET
     revoked_at = CASE WHEN g.grant_id = excluded.grant_id THEN g.revoked_at
                       ELSE coalesce(g.revoked_at, now()) END
   WHERE g.client_id = excluded.client_id
  RETURNING g.grant_id, g.user_id, g.client_id, xmax = 0 AS is_new,
            g.grant_id = $1 AND g.revoked_at IS NULL AS is_mine),
family AS (
  INSERT INTO refresh_families (family_hash, grant_id, client_id, current_hash, idle, expires_at)
  SELECT $13, grant_id, client_id, $14, $15, $16 FROM redeemed WHERE is_new AND $13::bytea IS NOT NULL
  ON CONFLICT DO NOTHING),
audited AS (
  INSERT INTO audit (event, user_id, client_id, detail)
  SELECT CASE WHEN is_new THEN 'grant_made' ELSE 'code_replayed' END, user_id, client_id,
         jsonb_build_object('grant_id', grant_id)
    FROM redeemed WHERE is_new OR grant_id <> $1)
SELECT r.grant_id, r.is_mine, {USER} FROM redeemed r JOIN users u USING (user_id)"""

# Sent again after a lost answer it meets its own row: nothing changes.
_ADD = f"""
WITH made AS (
  INSERT INTO grants AS g (grant_id, client_id, redirect_uri, user_id, sid, is_offline, scope, claims, epoch,
                           expires_at)
  SELECT $1, $2, $3, u.user_id, s.sid, false, $6, $7, u.epoch, $9
    FROM users u JOIN sessions s USING (user_id)
   WHERE u.user_id = $4 AND u.disabled_at IS NULL AND u.epoch = $8
     AND s.sid = $5 AND s.ended_at IS NULL AND s.epoch = u.epoch
     FOR SHARE OF u, s
  ON CONFLICT (grant_id) DO UPDATE SET grant_id = g.grant_id
  RETURNING g.grant_id, g.user_id, g.client_id, xmax = 0 AS is_new),
audited AS (
  INSERT INTO audit (event, user_id, client_id, detail)
  SELECT 'grant_made', user_id, client_id, jsonb_build_object('grant_id', grant_id) FROM made WHERE is_new)
SELECT {USER} FROM made JOIN users u USING (user_id)"""

_FIND_SPENT = "SELECT grant_id, client_id, redirect_uri, code_challenge FROM grants WHERE code_hash = $1"

_REVOKE = """
WITH revoked AS (
  UPDATE grants SET revoked_at = now() WHERE grant_id = $1 AND revoked_at IS NULL
  RETURNING grant_id, user_id, client_id)
INSERT INTO audit (event, user_id, client_id, detail)
SELECT 'grant_revoked', user_id, client_id, jsonb_build_object('grant_id', grant_id, 'reason', $2::text)
  FROM revoked"""

# Who makes a grant holds its client's row by the reference: with the row locked, none is in flight unseen.
_LOCK_CLIENT = "SELECT FROM clients WHERE client_id = $1 FOR UPDATE"
_REVOKE_OF_CLIENT = """
WITH revoked AS (
  UPDATE grants SET revoked_at = now()
   WHERE client_id = $1 AND revoked_at IS NULL AND expires_at > now() RETURNING grant_id),
noted AS (
  INSERT INTO audit (event, client_id, detail)
  SELECT 'grants_revoked', $1, jsonb_build_object('grants', count(*)) FROM revoked)
SELECT count(*) FROM revoked"""

_REVOKE_ACCESS_TOKEN = """
WITH revoked AS (
  INSERT INTO revoked_access_tokens (token_id, expires_at) VALUES ($1, $2)
  ON CONFLICT DO NOTHING RETURNING token_id)
INSERT INTO audit (event, client_id, detail)
SELECT 'access_token_revoked', $3, jsonb_build_object('token_id', token_id) FROM revoked"""

_OF_STANDING = f"""
  FROM grants g JOIN users u USING (user_id) {SESSION} JOIN clients c USING (client_id)
 WHERE g.grant_id = $1 AND g.client_id = $2 AND c.disabled_at IS NULL AND {GRANT_STANDS}
   AND NOT EXISTS (SELECT FROM revoked_access_tokens WHERE token_id = $3)"""

_HOLDS = f"SELECT {_OF_STANDING}"
_STANDING = f"SELECT {USER}, g.claims -> 'userinfo' AS requested {_OF_STANDING}"

_HOLDS_OF_CLIENT = """
SELECT FROM clients WHERE client_id = $1 AND disabled_at IS NULL
   AND NOT EXISTS (SELECT FROM revoked_access_tokens WHERE token_id = $2)"""


def user_of(row: Row) -> User:
    """The user of a row that has the columns of USER."""
    return User(
        user_id=row["user_id"],
        username=row["username"],
        claims=row["user_claims"],
        epoch=row["epoch"],
        claims_version=row["claims_version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


class PostgresGrants:
    """`Grants` over PostgreSQL: one statement each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def redeem(
        self,
        grant_id: UUID,
        code_hash: bytes,
        code: AuthorizationCode,
        expires_at: datetime,
        family: NewFamily | None,
    ) -> Redeemed | None:
        authorization = code.authorization
        row = await self._database.row_idempotent(
            _REDEEM,
            grant_id,
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
        )
        if row is None:
            return None
        return Redeemed(grant_id=row["grant_id"], is_mine=row["is_mine"], user=user_of(row))

    async def add(
        self,
        grant_id: UUID,
        authorization: Authorization,
        redirect_uri: str,
        epoch: int,
        expires_at: datetime,
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
        )
        return user_of(row) if row else None

    async def find_spent(self, code_hash: bytes) -> SpentCode | None:
        row = await self._database.row(_FIND_SPENT, code_hash)
        return SpentCode(**dict(row)) if row else None

    async def revoke(self, grant_id: UUID, reason: str) -> None:
        await self._database.row_idempotent(_REVOKE, grant_id, reason)

    async def revoke_of_client(self, client_id: str) -> int:
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK_CLIENT, client_id)
            return int(await connection.fetchval(_REVOKE_OF_CLIENT, client_id, timeout=SWEEP_TIMEOUT))

    async def revoke_access_token(self, token_id: UUID, expires_at: datetime, client_id: str) -> None:
        await self._database.row_idempotent(_REVOKE_ACCESS_TOKEN, token_id, expires_at, client_id)

    async def holds(self, token: AccessToken) -> bool:
        if token.grant_id is None:
            row = await self._database.row(_HOLDS_OF_CLIENT, token.client_id, token.token_id)
        else:
            row = await self._database.row(_HOLDS, token.grant_id, token.client_id, token.token_id)
        return row is not None

    async def standing(self, token: AccessToken) -> Standing | None:
        row = await self._database.row(_STANDING, token.grant_id, token.client_id, token.token_id)
        return Standing(user=user_of(row), requested=row["requested"]) if row else None
