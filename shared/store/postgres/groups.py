"""Groups in PostgreSQL."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from shared.identity.username import canonical
from shared.model import Author, Scope
from shared.store import Stale, Taken, Unavailable, UserGroup
from shared.store.codecs.authors import author_detail
from shared.store.codecs.text import is_storable
from shared.store.postgres import assigned_names
from shared.store.postgres.nesting import (
    LOCK_NESTING,
    MEMBERS_OF_BELOW,
    groups_above,
    groups_below,
    nest,
    scopes_of,
    unnest,
)
from shared.store.postgres.sign_outs import SIGNING_OUT, sign_out
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction

NEEDS_SECOND_FACTOR = f"""(EXISTS (SELECT FROM groups gr WHERE gr.requires_second_factor) AND EXISTS (
  {groups_above("SELECT gm.group_id FROM group_members gm WHERE gm.user_id = u.user_id")}
  SELECT FROM effective e JOIN groups gr USING (group_id) WHERE gr.requires_second_factor))"""
"""Whether a group that `u` is in requires a second factor. Nothing more is read where no group does."""

_ADD = """
WITH added AS (
  INSERT INTO groups (name, name_key, scopes, requires_second_factor) VALUES ($1, $2, $4, $5) RETURNING name)
INSERT INTO audit (event, detail)
SELECT 'group_added',
       jsonb_build_object('group', name, 'scopes', $4::text[], 'requires_second_factor', $5::boolean)
       || $3::jsonb
  FROM added"""

_GROUP = f"""
       gr.name, gr.version, gr.scopes, gr.requires_second_factor, gr.created_at,
       (SELECT count(*) FROM group_members gm WHERE gm.group_id = gr.group_id) AS member_count,
       ({groups_below("SELECT gr.group_id")}
        SELECT count(*) FROM {MEMBERS_OF_BELOW} m) AS effective_member_count,
       ARRAY(SELECT (SELECT m.name FROM groups m WHERE m.group_id = gp.group_id)
               FROM group_parents gp WHERE gp.parent_id = gr.group_id) AS groups,
       ARRAY(SELECT (SELECT p.name FROM groups p WHERE p.group_id = gp.parent_id)
               FROM group_parents gp WHERE gp.group_id = gr.group_id) AS parents,
       ARRAY({scopes_of("SELECT gr.group_id")}) AS effective_scopes"""
_FIND = f"SELECT {_GROUP} FROM groups gr WHERE gr.name_key = $1"
_LIST = f"SELECT {_GROUP} FROM groups gr WHERE gr.name_key > $1 ORDER BY gr.name_key LIMIT $2"
_MEMBERS = """
SELECT u.username FROM groups gr JOIN group_members gm USING (group_id) JOIN users u USING (user_id)
 WHERE gr.name_key = $1 AND u.username_key > $2 ORDER BY u.username_key LIMIT $3"""
_EFFECTIVE_MEMBERS = f"""
{groups_below("SELECT group_id FROM groups WHERE name_key = $1")}
SELECT u.username FROM users u WHERE u.user_id = ANY(ARRAY{MEMBERS_OF_BELOW}) AND u.username_key > $2
 ORDER BY u.username_key LIMIT $3"""

_REPLACE = """
WITH changed AS (
  UPDATE groups SET name = $2, name_key = $3, scopes = $7, requires_second_factor = $8, version = version + 1
   WHERE name_key = $1 AND version = $4
  RETURNING name)
INSERT INTO audit (event, detail)
SELECT 'group_changed',
       jsonb_build_object('group', name, 'former_name', $5::text, 'scopes', $7::text[],
                          'requires_second_factor', $8::boolean) || $6::jsonb
  FROM changed
RETURNING event"""

_RIGHTS_OF_USER = scopes_of("SELECT group_id FROM group_members WHERE user_id = $1")
_RIGHTS_OF_GROUPS = scopes_of("SELECT group_id FROM groups WHERE name_key = ANY($1::text[])")

_LOCK = """
SELECT group_id FROM groups WHERE name_key = $1 AND ($2::integer IS NULL OR version = $2) FOR UPDATE"""
_DELETE = """
WITH deleted AS (DELETE FROM groups WHERE group_id = $1 RETURNING name)
INSERT INTO audit (event, detail)
SELECT 'group_deleted', jsonb_build_object('group', name) || $2::jsonb FROM deleted"""


def _group(row: Row) -> UserGroup:
    lists = {name: tuple(sorted(row[name])) for name in ("groups", "parents", "effective_scopes")}
    return UserGroup(**{**dict(row), **lists, "scopes": tuple(row["scopes"])})


async def _read(connection: Transaction, name: str) -> UserGroup:
    """The group that this transaction has written."""
    row = await connection.fetchrow(_FIND, canonical(name))
    assert row is not None
    return _group(row)


class PostgresGroups:
    """`Groups` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        name: str,
        scopes: Scope = (),
        *,
        requires_second_factor: bool = False,
        by: Author | None = None,
    ) -> UserGroup:
        values = (name, canonical(name), author_detail(by), scopes, requires_second_factor)
        try:
            async with self._database.transaction() as connection:
                await connection.execute(_ADD, *values)
                return await _read(connection, name)
        except asyncpg.UniqueViolationError:
            raise Taken(name) from None

    async def find(self, name: str) -> UserGroup | None:
        key = canonical(name)
        row = await self._database.row(_FIND, key) if is_storable(key) else None
        return _group(row) if row else None

    async def list(self, after: str | None, limit: int) -> Sequence[UserGroup]:
        rows = await self._database.rows(_LIST, canonical(after or ""), limit)
        return [_group(row) for row in rows]

    async def members(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        rows = await self._database.rows(_MEMBERS, canonical(name), canonical(after or ""), limit)
        return [row["username"] for row in rows]

    async def effective_members(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        rows = await self._database.rows(_EFFECTIVE_MEMBERS, canonical(name), canonical(after or ""), limit)
        return [row["username"] for row in rows]

    async def rights_of_user(self, user_id: UUID) -> frozenset[str]:
        return frozenset(row["scope"] for row in await self._database.rows(_RIGHTS_OF_USER, user_id))

    async def rights_of_groups(self, names: Collection[str]) -> frozenset[str]:
        keys = [canonical(name) for name in names]
        return frozenset(row["scope"] for row in await self._database.rows(_RIGHTS_OF_GROUPS, keys))

    async def replace(
        self,
        group: UserGroup,
        name: str,
        scopes: Scope,
        *,
        requires_second_factor: bool = False,
        by: Author | None = None,
    ) -> UserGroup:
        key, former, detail = canonical(name), group.name, author_detail(by)
        values = (canonical(former), name, key, group.version, former, detail, scopes, requires_second_factor)
        try:
            async with self._database.transaction() as connection:
                if await connection.fetchrow(_REPLACE, *values) is None:
                    raise Stale(former)
                return await _read(connection, name)
        except asyncpg.UniqueViolationError:
            raise Taken(name) from None

    async def delete(self, name: str, *, version: int | None = None, by: Author | None = None) -> bool:
        async with self._database.transaction() as connection:
            await connection.extend(SIGNING_OUT)
            await connection.execute(LOCK_NESTING)
            group = await connection.fetchrow(_LOCK, canonical(name), version)
            if group is None:
                await connection.confirm()
                return False
            await sign_out(connection, [group["group_id"]])
            await connection.execute(_DELETE, group["group_id"], author_detail(by))
            return True

    async def join(self, name: str, user_id: UUID, *, by: Author | None = None) -> None:
        await assigned_names.GROUPS.assign(self._database, name, user_id, by)

    async def leave(self, name: str, user_id: UUID, *, by: Author | None = None) -> None:
        await assigned_names.GROUPS.unassign(self._database, name, user_id, by)

    async def nest(self, parent: UserGroup, member: str, *, by: Author | None = None) -> None:
        async with self._database.transaction() as connection:
            await nest(connection, parent, member, author_detail(by))

    async def unnest(self, parent: str, member: str, *, by: Author | None = None) -> None:
        try:
            await self._unnest(parent, member, by)
        except Unavailable:  # perhaps only the answer was lost
            await self._unnest(parent, member, by)

    async def _unnest(self, parent: str, member: str, by: Author | None) -> None:
        async with self._database.transaction() as connection:
            await connection.extend(SIGNING_OUT)
            group_id = await unnest(connection, parent, member, author_detail(by))
            if group_id is None:
                await connection.confirm()
            else:
                await sign_out(connection, [group_id])
