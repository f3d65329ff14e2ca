"""The outbox in PostgreSQL: the statements that fill it when sessions end, and those that empty it.

A running redemption holds the rows of its user and its session FOR SHARE. A transaction that ends a session
locks the session's row or the user's, and fills the outbox by a later statement. So either it has waited for
the redemption and notifies its client, or the redemption finds the session ended. A single statement would
not do: it would read the grants as they were before it waited.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from shared.store import LogoutNotice, OutboxState, SignOutExemption
from shared.store.postgres.epochs import carry_on
from shared.store.postgres.queue import put_off, settle, take_due
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction

_RAISE_EPOCHS = "UPDATE users SET epoch = epoch + 1, updated_at = now() WHERE user_id = ANY($1::uuid[])"

LOCK_USER = "SELECT FROM users WHERE user_id = $1 FOR UPDATE"


def _tell(sessions: str) -> str:
    return f"""
INSERT INTO outbox (client_id, sid, user_id)
SELECT DISTINCT g.client_id, g.sid, g.user_id
  FROM sessions s JOIN users u USING (user_id) JOIN grants g USING (sid) JOIN clients c USING (client_id)
 WHERE {sessions} AND s.epoch = u.epoch
   AND c.metadata ? 'backchannel_logout_uri' AND c.disabled_at IS NULL AND g.client_epoch >= c.first_epoch
ON CONFLICT DO NOTHING"""


TELL_OF_ENDED = _tell("s.sid = $1 AND s.ended_at = now()")
"""Notify the clients of a session that an earlier statement of this transaction has ended, at now()."""

TELL_OF_THESE = _tell("s.sid = ANY($1::uuid[]) AND s.ended_at = now()")
"""As TELL_OF_ENDED, for several sessions."""

_TELL_OF_USER = _tell("s.user_id = $1 AND s.ended_at IS NULL AND s.sid IS DISTINCT FROM $2::uuid")
"""Notify the clients of every session of a locked user but one. All of these are about to end."""

_TELL_OF_USERS = _tell("s.user_id = ANY($1::uuid[]) AND s.ended_at IS NULL")
"""Notify the clients of every session of locked users. All of these are about to end."""

TELL_CLIENT = _tell("s.user_id = $1 AND s.ended_at IS NULL AND g.client_id = $2 AND g.revoked_at IS NULL")
"""Notify a client whose grants from a locked user are about to be revoked."""

_COLUMNS = "notice_id, client_id, sid, user_id, tries, created_at, due_at, given_up_at"

_OF_A_CLIENT = """given_up_at IS NULL
     AND NOT EXISTS (SELECT FROM client_removals r
                      WHERE r.client_id = o.client_id AND o.created_at < r.deleted_at)"""

_TAKE = take_due("outbox", "notice_id", _COLUMNS, _OF_A_CLIENT)

_SETTLE = settle("outbox", "notice_id")

_PUT_OFF = put_off("outbox", "notice_id", "given_up_at IS NULL")

_GIVE_UP = """
WITH given_up AS (
  UPDATE outbox SET given_up_at = $2 WHERE notice_id = $1 AND given_up_at IS NULL
  RETURNING client_id, user_id, sid)
INSERT INTO audit (event, user_id, client_id, detail)
SELECT 'logout_notice_given_up', user_id, client_id, jsonb_build_object('sid', sid) FROM given_up"""

_LIST = f"SELECT {_COLUMNS} FROM outbox ORDER BY created_at, notice_id LIMIT $1"

_STATE = """
SELECT count(*) FILTER (WHERE given_up_at IS NULL) AS waiting,
       count(given_up_at) AS given_up,
       min(created_at) FILTER (WHERE given_up_at IS NULL) AS oldest
  FROM outbox"""

RETRIED_AT_A_TIME = 500

_RETRY = f"""
WITH given_up AS MATERIALIZED (
  SELECT notice_id FROM outbox WHERE given_up_at IS NOT NULL
   LIMIT {RETRIED_AT_A_TIME} FOR UPDATE SKIP LOCKED),
again AS (
  UPDATE outbox o SET due_at = now(), created_at = now(), tries = 0, given_up_at = NULL
    FROM given_up g WHERE o.notice_id = g.notice_id RETURNING o.notice_id)
SELECT count(*) AS n FROM again"""


@asynccontextmanager
async def end_sessions(
    database: Database, user_id: UUID, exempt: SignOutExemption | None = None
) -> AsyncIterator[Transaction]:
    """A transaction for a change that raises the user's epoch, so that every session ends.

    It has notified their clients. Afterwards, what is *exempt* goes on.
    """
    async with database.transaction() as connection:
        if await connection.fetchrow(LOCK_USER, user_id) is None:
            await connection.confirm()
        if exempt is None or exempt.sid is not None:
            await connection.execute(_TELL_OF_USER, user_id, exempt and exempt.sid)
        yield connection
        if exempt is not None:
            await carry_on(connection, user_id, exempt)


async def end_sessions_of(connection: Transaction, user_ids: Sequence[UUID]) -> None:
    """End every session and grant of users whom this transaction has locked, and notify the clients."""
    await connection.execute(_TELL_OF_USERS, user_ids)
    await connection.execute(_RAISE_EPOCHS, user_ids)


def _notice(row: Row) -> LogoutNotice:
    return LogoutNotice(**dict(row))


class PostgresOutbox:
    """`Outbox` over PostgreSQL: one statement each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, limit: int, lease: timedelta, now: datetime) -> Sequence[LogoutNotice]:
        return [_notice(row) for row in await self._database.rows(_TAKE, now, now + lease, limit)]

    async def settle(self, notice_id: UUID) -> None:
        await self._database.row_idempotent(_SETTLE, notice_id)

    async def put_off(self, notice_id: UUID, due_at: datetime) -> None:
        await self._database.row_idempotent(_PUT_OFF, notice_id, due_at)

    async def give_up(self, notice_id: UUID, now: datetime) -> None:
        await self._database.row_idempotent(_GIVE_UP, notice_id, now)

    async def list(self, limit: int) -> Sequence[LogoutNotice]:
        return [_notice(row) for row in await self._database.rows(_LIST, limit)]

    async def state(self) -> OutboxState:
        row = await self._database.row(_STATE)
        assert row is not None
        return OutboxState(row["waiting"], row["given_up"], row["oldest"])

    async def retry(self) -> int:
        retried = 0
        while (row := await self._database.row(_RETRY)) and row["n"]:
            retried += row["n"]
        return retried
