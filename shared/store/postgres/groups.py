"""Groups in PostgreSQL, and the statements that change a user's memberships."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from shared.identity.username import canonical
from shared.store import Taken, UserGroup
from shared.store.codecs.text import is_storable
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction

GROUPS_OF_USER = """ARRAY(
  SELECT gr.name FROM group_members gm JOIN groups gr USING (group_id)
   WHERE gm.user_id = u.user_id ORDER BY gr.name COLLATE "C")"""
"""The names of the groups of `u`, sorted by code point."""

_ADD = """
WITH added AS (INSERT INTO groups (name, name_key) VALUES ($1, $2) RETURNING name)
INSERT INTO audit (event, detail) SELECT 'group_added', jsonb_build_object('group', name) FROM added"""

_ADD_MISSING = """
WITH added AS (
  INSERT INTO groups (name, name_key) SELECT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT (name_key) DO NOTHING RETURNING name)
INSERT INTO audit (event, detail) SELECT 'group_added', jsonb_build_object('group', name) FROM added"""

_FIND_EACH = """
SELECT gr.name, gr.created_at,
       (SELECT count(*) FROM group_members gm WHERE gm.group_id = gr.group_id) AS member_count
  FROM groups gr"""
_FIND = f"{_FIND_EACH} WHERE gr.name_key = $1"
_LIST = f"{_FIND_EACH} WHERE gr.name_key > $1 ORDER BY gr.name_key LIMIT $2"
_MEMBERS = """
SELECT u.username FROM groups gr JOIN group_members gm USING (group_id) JOIN users u USING (user_id)
 WHERE gr.name_key = $1 AND u.username_key > $2 ORDER BY u.username_key LIMIT $3"""

_DELETE = """
WITH deleted AS (DELETE FROM groups WHERE name_key = $1 RETURNING name)
INSERT INTO audit (event, detail) SELECT 'group_deleted', jsonb_build_object('group', name) FROM deleted
RETURNING event"""

# FOR KEY SHARE waits for a concurrent deletion of a group or user, which is then left out.
_JOIN = """
WITH wanted AS (
  SELECT u.user_id, gr.group_id FROM users u, groups gr
   WHERE u.user_id = $1 AND gr.name_key = ANY($2::text[]) FOR KEY SHARE),
joined AS (
  INSERT INTO group_members (user_id, group_id) SELECT user_id, group_id FROM wanted
  ON CONFLICT DO NOTHING RETURNING group_id)
INSERT INTO audit (event, user_id, detail)
SELECT 'group_joined', $1, jsonb_build_object('group', gr.name) FROM joined JOIN groups gr USING (group_id)"""


def _leave(condition: str) -> str:
    """A statement that ends the memberships of user $1 in the groups of $2 that meet *condition*."""
    return f"""
WITH ended AS (
  DELETE FROM group_members gm USING groups gr
   WHERE gm.user_id = $1 AND gr.group_id = gm.group_id AND {condition} RETURNING gr.name)
INSERT INTO audit (event, user_id, detail)
SELECT 'group_left', $1, jsonb_build_object('group', name) FROM ended
RETURNING event"""


_LEAVE = _leave("gr.name_key = $2")
_LEAVE_OTHERS = _leave("gr.name_key <> ALL($2::text[])")


async def join_by_name(
    connection: Transaction | asyncpg.Connection, user_id: UUID, names: Collection[str]
) -> None:
    """Make a user a member of the groups of these names; groups that are missing are added."""
    by_key = {canonical(name): name for name in names}
    keys = sorted(by_key)  # in one order, so that transactions do not deadlock
    await connection.execute(_ADD_MISSING, [by_key[key] for key in keys], keys)
    await connection.execute(_JOIN, user_id, keys)


async def replace_groups(connection: Transaction, user_id: UUID, names: Collection[str]) -> None:
    """Make a user a member of exactly the groups of these names; groups that are missing are added."""
    await connection.execute(_LEAVE_OTHERS, user_id, [canonical(name) for name in names])
    await join_by_name(connection, user_id, names)


class PostgresGroups:
    """`Groups` over PostgreSQL: one statement each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str) -> None:
        try:
            await self._database.row(_ADD, name, canonical(name))
        except asyncpg.UniqueViolationError:
            raise Taken(name) from None

    async def find(self, name: str) -> UserGroup | None:
        key = canonical(name)
        row = await self._database.row(_FIND, key) if is_storable(key) else None
        return UserGroup(**dict(row)) if row else None

    async def list(self, after: str | None, limit: int) -> Sequence[UserGroup]:
        rows = await self._database.rows(_LIST, canonical(after or ""), limit)
        return [UserGroup(**dict(row)) for row in rows]

    async def members(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        rows = await self._database.rows(_MEMBERS, canonical(name), canonical(after or ""), limit)
        return [row["username"] for row in rows]

    async def delete(self, name: str) -> None:
        await self._database.end(_DELETE, canonical(name))

    async def join(self, name: str, user_id: UUID) -> None:
        await self._database.row(_JOIN, user_id, [canonical(name)])

    async def leave(self, name: str, user_id: UUID) -> None:
        await self._database.end(_LEAVE, user_id, canonical(name))
