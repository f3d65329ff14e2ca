"""What users are given by name: the groups that they are members of, and their own roles."""

from collections.abc import Collection
from uuid import UUID

import asyncpg

from shared.identity.username import canonical
from shared.model import Author
from shared.store import Unavailable
from shared.store.codecs.authors import author_detail
from shared.store.postgres.nesting import NOTE_CHANGE
from shared.store.postgres.outbox import LOCK_USER, end_sessions_of
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction


class AssignedNames:
    """Changes one kind of them. A user who loses one is signed out: every session and grant ends.

    *kind*: of what has the name, as in `group_id` and in audit rows. *table* has the names, and *assignments*
    who has which. *assigned* and *unassigned* are the audit events.
    """

    def __init__(self, *, kind: str, table: str, assignments: str, assigned: str, unassigned: str) -> None:
        self._add_missing = f"""
WITH added AS (
  INSERT INTO {table} (name, name_key) SELECT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT (name_key) DO NOTHING RETURNING name)
INSERT INTO audit (event, detail)
SELECT '{kind}_added', jsonb_build_object('{kind}', name) || $3::jsonb FROM added"""
        # FOR KEY SHARE waits for a concurrent deletion of the user or of what has the name: it is left out.
        self._assign = f"""
WITH wanted AS (
  SELECT u.user_id, n.{kind}_id FROM users u, {table} n
   WHERE u.user_id = $1 AND n.name_key = ANY($2::text[]) FOR KEY SHARE),
added AS (
  INSERT INTO {assignments} (user_id, {kind}_id) SELECT user_id, {kind}_id FROM wanted
  ON CONFLICT DO NOTHING RETURNING {kind}_id)
INSERT INTO audit (event, user_id, detail)
SELECT '{assigned}', $1, jsonb_build_object('{kind}', n.name) || $3::jsonb
  FROM added JOIN {table} n USING ({kind}_id)
RETURNING event"""
        self._unassign, self._unassign_others = (
            f"""
WITH ended AS (
  DELETE FROM {assignments} a USING {table} n
   WHERE a.user_id = $1 AND n.{kind}_id = a.{kind}_id AND {condition} RETURNING n.name)
INSERT INTO audit (event, user_id, detail)
SELECT '{unassigned}', $1, jsonb_build_object('{kind}', name) || $3::jsonb FROM ended
RETURNING event"""
            for condition in ("n.name_key = $2", "n.name_key <> ALL($2::text[])")
        )

    async def assign_each(
        self,
        connection: Transaction | asyncpg.Connection,
        user_id: UUID,
        names: Collection[str],
        by: Author | None = None,
    ) -> None:
        """Give a user these; what is missing is added."""
        by_key = {canonical(name): name for name in names}
        keys = sorted(by_key)  # in one order, so that transactions do not deadlock
        await connection.execute(self._add_missing, [by_key[key] for key in keys], keys, author_detail(by))
        await connection.execute(self._assign, user_id, keys, author_detail(by))

    async def replace(
        self, connection: Transaction, user_id: UUID, names: Collection[str], by: Author | None = None
    ) -> None:
        """Let a locked user have exactly these; what is missing is added."""
        keys = [canonical(name) for name in names]
        if await connection.fetchrow(self._unassign_others, user_id, keys, author_detail(by)):
            await end_sessions_of(connection, [user_id])
        await self.assign_each(connection, user_id, names, by)

    async def assign(self, database: Database, name: str, user_id: UUID, by: Author | None) -> None:
        """Give a user one that exists."""
        async with database.transaction() as connection:
            if await connection.fetchrow(self._assign, user_id, [canonical(name)], author_detail(by)):
                await connection.execute(NOTE_CHANGE, [user_id])

    async def unassign(self, database: Database, name: str, user_id: UUID, by: Author | None) -> None:
        """Take one from a user, if they have it."""
        try:
            await self._unassign_once(database, name, user_id, by)
        except Unavailable:  # perhaps only the answer was lost
            await self._unassign_once(database, name, user_id, by)

    async def _unassign_once(self, database: Database, name: str, user_id: UUID, by: Author | None) -> None:
        async with database.transaction() as connection:
            await connection.fetchrow(LOCK_USER, user_id)
            if await connection.fetchrow(self._unassign, user_id, canonical(name), author_detail(by)) is None:
                await connection.confirm()
                return
            await end_sessions_of(connection, [user_id])
            await connection.execute(NOTE_CHANGE, [user_id])


GROUPS = AssignedNames(
    kind="group",
    table="groups",
    assignments="group_members",
    assigned="group_joined",
    unassigned="group_left",
)
ROLES = AssignedNames(
    kind="role", table="roles", assignments="user_roles", assigned="role_given", unassigned="role_taken"
)
