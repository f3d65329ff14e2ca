"""Recovery links in PostgreSQL: the statement that deletes a link decides who has spent it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from shared.model import Json
from shared.store.ports.mails import NewMail
from shared.store.ports.recovery_links import HOLD, LiveLink
from shared.store.ports.sessions import SignOutExemption
from shared.store.postgres.credentials import set_password
from shared.store.postgres.mails import SealedMails, queueing
from shared.store.postgres.nesting import scopes_of
from shared.store.postgres.outbox import end_sessions
from shared.store.postgres.transport.database import Database
from shared.store.postgres.users import USER_COLUMNS, user_record

_ADD = f"""
WITH added AS (
  INSERT INTO recovery_links (link_hash, user_id, epoch, expires_at, browser_hash, issued_by)
  SELECT $1, user_id, epoch, now() + $3::interval, $5, $6
    FROM users WHERE user_id = $2 AND disabled_at IS NULL
  RETURNING user_id),
mailed AS ({queueing("added", 7)})
INSERT INTO audit (event, user_id, detail) SELECT 'recovery_link_made', user_id, $4 FROM added
RETURNING event"""

_FIND = f"""
SELECT {USER_COLUMNS}, l.browser_hash, l.issued_by, p.data ->> 'hash' AS password_hash
  FROM recovery_links l JOIN users u USING (user_id)
  LEFT JOIN user_credentials p ON p.user_id = u.user_id AND p.kind = 'password'
 WHERE l.link_hash = $1 AND l.expires_at > now() AND l.epoch = u.epoch AND u.disabled_at IS NULL"""

_SPEND = """
WITH spent AS (
  DELETE FROM recovery_links l USING users u
   WHERE l.link_hash = $1 AND l.user_id = $2 AND l.expires_at > now()
     AND u.user_id = l.user_id AND u.epoch = l.epoch AND u.disabled_at IS NULL
  RETURNING l.user_id)
INSERT INTO audit (event, user_id) SELECT 'recovery_link_used', user_id FROM spent
RETURNING event"""


_IS_ADMINISTRATOR = f"""EXISTS (
  {scopes_of("SELECT gm.group_id FROM group_members gm WHERE gm.user_id = u.user_id")})"""

_HOLD = f"""
WITH u AS (UPDATE users SET recovered_at = now() WHERE user_id = $1 RETURNING user_id)
INSERT INTO audit (event, user_id, detail)
SELECT 'recovery_hold_begun', user_id, jsonb_build_object('until', now() + $2::interval) FROM u
 WHERE {_IS_ADMINISTRATOR}"""

_HELD_UNTIL = f"""
SELECT u.recovered_at + $2::interval AS held_until FROM users u
 WHERE u.user_id = $1 AND u.recovered_at > now() - $2::interval AND {_IS_ADMINISTRATOR}"""

_LIFT = """
WITH lifted AS (
  UPDATE users SET recovered_at = NULL WHERE user_id = $1 AND recovered_at > now() - $2::interval
  RETURNING user_id)
INSERT INTO audit (event, user_id, detail) SELECT 'recovery_hold_lifted', user_id, $3 FROM lifted"""


class _Dead(Exception):
    """The link does not work: the transaction ends without a change."""


class PostgresRecoveryLinks:
    """`RecoveryLinks` over PostgreSQL."""

    def __init__(self, database: Database, sealed_mails: SealedMails) -> None:
        self._database = database
        self._sealed_mails = sealed_mails

    async def add(
        self,
        link_hash: bytes,
        user_id: UUID,
        lifetime: timedelta,
        detail: Json,
        browser_hash: bytes | None = None,
        *,
        issued_by: str | None = None,
        mails: Sequence[NewMail] = (),
    ) -> bool:
        values = (link_hash, user_id, lifetime, detail, browser_hash, issued_by)
        return await self._database.row(_ADD, *values, *self._sealed_mails.columns(mails)) is not None

    async def find(self, link_hash: bytes) -> LiveLink | None:
        row = await self._database.row(_FIND, link_hash)
        if row is None:
            return None
        return LiveLink(
            user=user_record(row),
            browser_hash=row["browser_hash"],
            issued_by=row["issued_by"],
            password_hash=row["password_hash"],
        )

    async def set_password(
        self,
        link_hash: bytes,
        user_id: UUID,
        password_hash: str,
        exempt: SignOutExemption | None = None,
        *,
        mails: Sequence[NewMail] = (),
    ) -> bool:
        columns = self._sealed_mails.columns(mails)
        try:
            async with end_sessions(self._database, user_id, exempt) as connection:
                if await connection.fetchrow(_SPEND, link_hash, user_id) is None:
                    raise _Dead
                await set_password(connection, user_id, password_hash, columns)
                await connection.execute(_HOLD, user_id, HOLD)
        except _Dead:
            return False
        return True

    async def held_until(self, user_id: UUID) -> datetime | None:
        row = await self._database.row(_HELD_UNTIL, user_id, HOLD)
        return row["held_until"] if row else None

    async def lift_hold(self, user_id: UUID, detail: Json) -> None:
        await self._database.row(_LIFT, user_id, HOLD, detail)
