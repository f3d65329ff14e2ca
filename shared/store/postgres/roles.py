"""Roles in PostgreSQL, and the statements that give them to groups and take them away."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.identity.username import canonical
from shared.model import Author
from shared.store import Role, Stale, Taken, Unavailable
from shared.store.codecs.authors import author_detail
from shared.store.codecs.text import is_storable
from shared.store.postgres import assigned_names
from shared.store.postgres.nesting import (
    LOCK_NESTING,
    MEMBERS_OF_BELOW,
    groups_below,
    scopes_of,
)
from shared.store.postgres.sign_outs import SIGNING_OUT, sign_out
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction

_ADD = """
WITH added AS (INSERT INTO roles (name, name_key) VALUES ($1, $2) RETURNING name)
INSERT INTO audit (event, detail)
SELECT 'role_added', jsonb_build_object('role', name) || $3::jsonb FROM added"""

_ROLE = f"""
       r.name, r.version, r.created_at,
       (SELECT count(*) FROM user_roles ur WHERE ur.role_id = r.role_id) AS user_count,
       ({groups_below("SELECT gl.group_id FROM group_roles gl WHERE gl.role_id = r.role_id")}
        SELECT count(*) FROM (
          SELECT ur.user_id FROM user_roles ur WHERE ur.role_id = r.role_id UNION {MEMBERS_OF_BELOW}
        ) h) AS effective_user_count,
       ARRAY(SELECT (SELECT gr.name FROM groups gr WHERE gr.group_id = gl.group_id)
               FROM group_roles gl WHERE gl.role_id = r.role_id) AS groups"""
_FIND = f"SELECT {_ROLE} FROM roles r WHERE r.name_key = $1"
_LIST = f"SELECT {_ROLE} FROM roles r WHERE r.name_key > $1 ORDER BY r.name_key LIMIT $2"

_USERS = """
SELECT u.username FROM roles r JOIN user_roles ur USING (role_id) JOIN users u USING (user_id)
 WHERE r.name_key = $1 AND u.username_key > $2 ORDER BY u.username_key LIMIT $3"""
_GROUPS_WITH = "SELECT gl.group_id FROM roles r JOIN group_roles gl USING (role_id) WHERE r.name_key = $1"
_USERS_WITH = "SELECT ur.user_id FROM roles r JOIN user_roles ur USING (role_id) WHERE r.name_key = $1"
_EFFECTIVE_USERS = f"""
{groups_below(_GROUPS_WITH)}
SELECT u.username FROM users u
 WHERE u.user_id = ANY(ARRAY({_USERS_WITH} UNION {MEMBERS_OF_BELOW})) AND u.username_key > $2
 ORDER BY u.username_key LIMIT $3"""

_GROUPS_OF_HOLDERS = f"""{_GROUPS_WITH}
    UNION
    SELECT gm.group_id FROM group_members gm WHERE gm.user_id = ANY(ARRAY({_USERS_WITH}))"""
_RIGHTS_OF_HOLDERS = scopes_of(f"SELECT h.group_id FROM ({_GROUPS_OF_HOLDERS}) h")

_REPLACE = """
WITH changed AS (
  UPDATE roles SET name = $2, name_key = $3, version = version + 1 WHERE name_key = $1 AND version = $4
  RETURNING name)
INSERT INTO audit (event, detail)
SELECT 'role_changed', jsonb_build_object('role', name, 'former_name', $5::text) || $6::jsonb FROM changed
RETURNING event"""

_LOCK = """
SELECT role_id FROM roles WHERE name_key = $1 AND ($2::integer IS NULL OR version = $2) FOR UPDATE"""
_DELETE = """
WITH deleted AS (DELETE FROM roles WHERE name_key = $1 RETURNING name)
INSERT INTO audit (event, detail)
SELECT 'role_deleted', jsonb_build_object('role', name) || $2::jsonb FROM deleted"""

# FOR KEY SHARE waits for a concurrent deletion of the role or group, which is then left out.
_GIVE_GROUP = """
WITH wanted AS (
  SELECT gr.group_id, gr.name, r.role_id, r.name AS role FROM groups gr, roles r
   WHERE gr.name_key = $2 AND r.name_key = $1 FOR KEY SHARE),
given AS (
  INSERT INTO group_roles (group_id, role_id) SELECT group_id, role_id FROM wanted
  ON CONFLICT DO NOTHING RETURNING role_id)
INSERT INTO audit (event, detail)
SELECT 'role_given', jsonb_build_object('role', w.role, 'group', w.name) || $3::jsonb
  FROM given JOIN wanted w USING (role_id)"""


_TAKE_GROUP = """
WITH taken AS (
  DELETE FROM group_roles gl USING groups gr, roles r
   WHERE r.name_key = $1 AND gr.name_key = $2 AND gl.group_id = gr.group_id AND gl.role_id = r.role_id
  RETURNING gr.group_id, gr.name, r.name AS role),
audited AS (
  INSERT INTO audit (event, detail)
  SELECT 'role_taken', jsonb_build_object('role', role, 'group', name) || $3::jsonb FROM taken)
SELECT group_id FROM taken"""


def _role(row: Row) -> Role:
    return Role(**{**dict(row), "groups": tuple(sorted(row["groups"]))})


async def _read(connection: Transaction, name: str) -> Role:
    """The role that this transaction has written."""
    row = await connection.fetchrow(_FIND, canonical(name))
    assert row is not None
    return _role(row)


class PostgresRoles:
    """`Roles` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str, *, by: Author | None = None) -> Role:
        try:
            async with self._database.transaction() as connection:
                await connection.execute(_ADD, name, canonical(name), author_detail(by))
                return await _read(connection, name)
        except asyncpg.UniqueViolationError:
            raise Taken(name) from None

    async def find(self, name: str) -> Role | None:
        key = canonical(name)
        row = await self._database.row(_FIND, key) if is_storable(key) else None
        return _role(row) if row else None

    async def list(self, after: str | None, limit: int) -> Sequence[Role]:
        rows = await self._database.rows(_LIST, canonical(after or ""), limit)
        return [_role(row) for row in rows]

    async def users(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        rows = await self._database.rows(_USERS, canonical(name), canonical(after or ""), limit)
        return [row["username"] for row in rows]

    async def effective_users(self, name: str, after: str | None, limit: int) -> Sequence[str]:
        rows = await self._database.rows(_EFFECTIVE_USERS, canonical(name), canonical(after or ""), limit)
        return [row["username"] for row in rows]

    async def rights_of_holders(self, name: str) -> frozenset[str]:
        rows = await self._database.rows(_RIGHTS_OF_HOLDERS, canonical(name))
        return frozenset(row["scope"] for row in rows)

    async def replace(self, role: Role, name: str, *, by: Author | None = None) -> Role:
        key, former, detail = canonical(name), role.name, author_detail(by)
        values = (canonical(former), name, key, role.version, former, detail)
        try:
            async with self._database.transaction() as connection:
                if await connection.fetchrow(_REPLACE, *values) is None:
                    raise Stale(former)
                return await _read(connection, name)
        except asyncpg.UniqueViolationError:
            raise Taken(name) from None

    async def delete(self, name: str, *, version: int | None = None, by: Author | None = None) -> bool:
        key = canonical(name)
        async with self._database.transaction() as connection:
            await connection.extend(SIGNING_OUT)
            await connection.execute(LOCK_NESTING)
            role = await connection.fetchrow(_LOCK, key, version)
            if role is None:
                await connection.confirm()
                return False
            groups = [row["group_id"] for row in await connection.fetch(_GROUPS_WITH, key)]
            await sign_out(connection, groups, role["role_id"])
            await connection.execute(_DELETE, key, author_detail(by))
            return True

    async def give(self, name: str, user_id: UUID, *, by: Author | None = None) -> None:
        await assigned_names.ROLES.assign(self._database, name, user_id, by)

    async def take(self, name: str, user_id: UUID, *, by: Author | None = None) -> None:
        await assigned_names.ROLES.unassign(self._database, name, user_id, by)

    async def give_group(self, name: str, group: str, *, by: Author | None = None) -> None:
        await self._database.row(_GIVE_GROUP, canonical(name), canonical(group), author_detail(by))

    async def take_group(self, name: str, group: str, *, by: Author | None = None) -> None:
        try:
            await self._take_group(name, group, by)
        except Unavailable:  # perhaps only the answer was lost
            await self._take_group(name, group, by)

    async def _take_group(self, name: str, group: str, by: Author | None) -> None:
        async with self._database.transaction() as connection:
            await connection.extend(SIGNING_OUT)
            await connection.execute(LOCK_NESTING)
            taken = await connection.fetchrow(
                _TAKE_GROUP, canonical(name), canonical(group), author_detail(by)
            )
            if taken is None:
                await connection.confirm()
                return
            await sign_out(connection, [taken["group_id"]])
