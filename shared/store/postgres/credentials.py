"""Credentials in PostgreSQL. Triggers keep the passwords in sync with the table of the previous release."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.identity.username import canonical
from shared.model import Author
from shared.store.codecs.authors import author_detail
from shared.store.codecs.text import is_storable
from shared.store.ports.credentials import USE_NOTED_EVERY, Credential, UserPassword
from shared.store.ports.faults import Stale, Taken
from shared.store.ports.mails import NewMail
from shared.store.ports.sessions import SignOutExemption
from shared.store.postgres.mails import MailColumns, SealedMails, queueing
from shared.store.postgres.outbox import end_sessions
from shared.store.postgres.second_factors import SECOND_FACTORS, second_factors_of
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction
from shared.store.postgres.users import USER_COLUMNS, user_record

_FIND_USER_AND_PASSWORD = f"""
SELECT {USER_COLUMNS}, c.credential_id, c.kind, c.data, c.created_at AS password_set_at, c.last_used_at,
       c.is_temporary, {SECOND_FACTORS}
  FROM user_names n JOIN users u USING (user_id)
  LEFT JOIN user_credentials c ON c.user_id = u.user_id AND c.kind = 'password'
 WHERE n.name_key = $1"""

_OF_USER = """
SELECT credential_id, user_id, kind, data, created_at, last_used_at
  FROM user_credentials WHERE user_id = $1 ORDER BY created_at, credential_id"""

# Of two removals at once, the second one sees what the first has left.
_LOCK_USER = "SELECT FROM users WHERE user_id = $1 FOR NO KEY UPDATE"

_LOCK_EPOCH = "SELECT FROM users WHERE user_id = $1 AND epoch = $2 AND disabled_at IS NULL FOR UPDATE"

# The previous release locks this row before the triggers lock the copy: all others keep to that order.
_LOCK_PASSWORD = "SELECT FROM credentials WHERE user_id = $1 FOR UPDATE"

_ADD = f"""
WITH added AS (
  INSERT INTO user_credentials (credential_id, user_id, kind, data, created_at)
  SELECT $1, user_id, $3, $4, $5 FROM users WHERE user_id = $2
  RETURNING credential_id, user_id, kind),
mailed AS ({queueing("added", 6)})
INSERT INTO audit (event, user_id, detail)
SELECT 'credential_added', user_id, jsonb_build_object('credential_id', credential_id, 'kind', kind)
  FROM added"""

_STAYS = """EXISTS (
  SELECT FROM user_credentials o WHERE o.user_id = $1 AND o.credential_id <> $2 AND o.kind IN ({kinds}))"""
_SIGN_IN_STAYS = _STAYS.format(kinds="'password', 'passkey'")
_SECOND_FACTOR_STAYS = _STAYS.format(kinds="'totp', 'passkey'")

# Recovery codes do not outlive what they stand in for.
_REMOVE = f"""
WITH removed AS (
  DELETE FROM user_credentials
   WHERE user_id = $1
     AND (credential_id = $2 OR kind = 'recovery' AND NOT {_SECOND_FACTOR_STAYS})
     AND (NOT $3 OR {_SIGN_IN_STAYS}) AND (NOT $4 OR {_SECOND_FACTOR_STAYS})
  RETURNING credential_id, user_id, kind),
mailed AS ({queueing("removed", 5)})
INSERT INTO audit (event, user_id, detail)
SELECT 'credential_removed', user_id, jsonb_build_object('credential_id', credential_id, 'kind', kind)
  FROM removed
RETURNING event"""

_SET_PASSWORD = f"""
WITH changed AS (UPDATE users SET epoch = epoch + 1, updated_at = now() WHERE user_id = $1 RETURNING user_id),
stored AS (INSERT INTO user_credentials (user_id, kind, data, is_temporary)
           SELECT user_id, 'password', jsonb_build_object('hash', $2::text), $4 FROM changed
           ON CONFLICT (user_id) WHERE kind = 'password'
           DO UPDATE SET data = excluded.data, is_temporary = excluded.is_temporary,
                         created_at = now(), last_used_at = NULL),
mailed AS ({queueing("changed", 5)})
INSERT INTO audit (event, user_id, detail) SELECT 'password_changed', user_id, $3::jsonb FROM changed"""

_REHASH = """
WITH locked AS (SELECT user_id FROM credentials WHERE user_id = $1 FOR UPDATE)
UPDATE user_credentials c SET data = jsonb_build_object('hash', $3::text) FROM locked
 WHERE c.user_id = locked.user_id AND c.kind = 'password' AND c.data ->> 'hash' = $2"""

_NOTE_USE = """
UPDATE user_credentials SET last_used_at = $2
 WHERE credential_id = $1 AND (last_used_at IS NULL OR last_used_at < $2)"""


def _credential(row: Row, created_at: str = "created_at") -> Credential:
    return Credential(
        credential_id=row["credential_id"],
        user_id=row["user_id"],
        kind=row["kind"],
        data=row["data"],
        created_at=row[created_at],
        last_used_at=row["last_used_at"],
    )


async def set_password(
    connection: Transaction,
    user_id: UUID,
    password_hash: str,
    mails: MailColumns,
    by: Author | None = None,
    *,
    is_temporary: bool = False,
) -> None:
    """Set the password of a user whose sessions end in the same transaction."""
    detail = author_detail(by) | ({"is_temporary": True} if is_temporary else {})
    await connection.execute(_LOCK_PASSWORD, user_id)
    await connection.execute(_SET_PASSWORD, user_id, password_hash, detail, is_temporary, *mails)


class PostgresUserCredentials:
    """`UserCredentials` over PostgreSQL."""

    def __init__(self, database: Database, sealed_mails: SealedMails) -> None:
        self._database = database
        self._sealed_mails = sealed_mails

    async def find_user_and_password(self, name: str) -> UserPassword | None:
        key = canonical(name)
        row = await self._database.row(_FIND_USER_AND_PASSWORD, key) if is_storable(key) else None
        if row is None:
            return None
        password = _credential(row, "password_set_at") if row["credential_id"] else None
        return UserPassword(
            user=user_record(row),
            password=password,
            second_factors=second_factors_of(row),
            needs_second_factor=row["needs_second_factor"],
            is_temporary=bool(row["is_temporary"]),
        )

    async def of_user(self, user_id: UUID) -> Sequence[Credential]:
        return [_credential(row) for row in await self._database.rows(_OF_USER, user_id)]

    async def add(self, credential: Credential, *, mails: Sequence[NewMail] = ()) -> None:
        try:
            await self._database.row(
                _ADD,
                credential.credential_id,
                credential.user_id,
                credential.kind,
                credential.data,
                credential.created_at,
                *self._sealed_mails.columns(mails),
            )
        except asyncpg.UniqueViolationError:
            raise Taken(credential.kind) from None

    async def remove(
        self,
        user_id: UUID,
        credential_id: UUID,
        *,
        keeps_sign_in: bool = False,
        keeps_second_factor: bool = False,
        mails: Sequence[NewMail] = (),
    ) -> None:
        columns = self._sealed_mails.columns(mails)
        values = (user_id, credential_id, keeps_sign_in, keeps_second_factor, *columns)
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK_USER, user_id)
            await connection.execute(_LOCK_PASSWORD, user_id)
            if await connection.fetchrow(_REMOVE, *values) is None:
                await connection.confirm()

    async def set_password(
        self,
        user_id: UUID,
        password_hash: str,
        exempt: SignOutExemption | None = None,
        *,
        is_temporary: bool = False,
        by: Author | None = None,
        mails: Sequence[NewMail] = (),
    ) -> None:
        columns = self._sealed_mails.columns(mails)
        async with end_sessions(self._database, user_id, exempt) as connection:
            await set_password(connection, user_id, password_hash, columns, by, is_temporary=is_temporary)

    async def replace_temporary_password(
        self, user_id: UUID, epoch: int, password_hash: str, *, mails: Sequence[NewMail] = ()
    ) -> int:
        columns = self._sealed_mails.columns(mails)
        async with end_sessions(self._database, user_id, SignOutExemption()) as connection:
            if await connection.fetchrow(_LOCK_EPOCH, user_id, epoch) is None:
                raise Stale(str(user_id))
            await set_password(connection, user_id, password_hash, columns)
        return epoch + 1

    async def rehash(self, user_id: UUID, old_hash: str, new_hash: str) -> None:
        await self._database.row(_REHASH, user_id, old_hash, new_hash)

    async def note_use(self, credential: Credential, now: datetime) -> None:
        last = credential.last_used_at
        if last is None or now - last >= USE_NOTED_EVERY:
            await self._database.row(_NOTE_USE, credential.credential_id, now)
