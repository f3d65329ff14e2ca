"""Signs out users who lose what a group or a role gave them.

It is lost with the commit, however many they are. A few users are signed out by the same transaction. For
many it would take minutes, hold its locks as long, and fail again at each repetition. So it only notes who
they are, in `sign_outs`, and the worker signs them out batch by batch. Whoever has signed in meanwhile is
signed out once more.
"""

from collections.abc import Sequence
from uuid import UUID

from shared.store.postgres.nesting import MEMBERS_OF_BELOW, NOTE_CHANGE, groups_below
from shared.store.postgres.outbox import end_sessions_of
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction

SIGNING_OUT = 60
"""Seconds for a statement that deletes the memberships of many users, or notes whom to sign out."""

AT_ONCE = 100
"""The most users who are signed out by the transaction that takes something from them."""

_LOCK_BELOW = f"""
{groups_below("SELECT unnest($1::uuid[])")}
SELECT gr.group_id FROM groups gr WHERE gr.group_id = ANY(ARRAY(SELECT b.group_id FROM below b))
 ORDER BY gr.group_id FOR UPDATE OF gr"""
"""Whoever is joining one of these groups is waited for, and nobody else joins one until the commit."""

_CONCERNED = f"""
{groups_below("SELECT unnest($1::uuid[])")}
SELECT user_id FROM {MEMBERS_OF_BELOW} m UNION SELECT ur.user_id FROM user_roles ur WHERE ur.role_id = $2"""

_SOME = f"{_CONCERNED} LIMIT {AT_ONCE + 1}"
_NOTE = f"INSERT INTO sign_outs (user_id) {_CONCERNED} ON CONFLICT DO NOTHING"

_LOCK = "SELECT FROM users WHERE user_id = ANY($1::uuid[]) ORDER BY user_id FOR NO KEY UPDATE"

_TAKE = """
WITH next AS MATERIALIZED (SELECT user_id FROM sign_outs ORDER BY user_id LIMIT $1 FOR UPDATE SKIP LOCKED)
DELETE FROM sign_outs s USING next n WHERE s.user_id = n.user_id RETURNING s.user_id"""

_WAITING = "SELECT count(*) AS n FROM sign_outs"


async def sign_out(connection: Transaction, groups: Sequence[UUID], role: UUID | None = None) -> None:
    """End every session and grant of the users in these groups and below them, and of those with the *role*.

    If they are many, note that this is to be done.
    """
    await connection.fetch(_LOCK_BELOW, groups)
    concerned = [row["user_id"] for row in await connection.fetch(_SOME, groups, role)]
    if len(concerned) > AT_ONCE:
        await connection.execute(_NOTE, groups, role)
    else:
        await _end_all(connection, concerned)


async def _end_all(connection: Transaction, users: Sequence[UUID]) -> None:
    await connection.execute(_LOCK, users)
    await end_sessions_of(connection, users)
    await connection.execute(NOTE_CHANGE, users)


class PostgresSignOuts:
    """`SignOuts` over PostgreSQL: a transaction for each batch, which takes the users off the list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sign_out(self, batch: int) -> int:
        async with self._database.transaction() as connection:
            users = [row["user_id"] for row in await connection.fetch(_TAKE, batch)]
            if users:
                await _end_all(connection, users)
        return len(users)

    async def waiting(self) -> int:
        row = await self._database.row(_WAITING)
        return int(row["n"]) if row else 0
