"""Protected resources in PostgreSQL. The statement that changes one also increments the change counter."""

from collections.abc import Sequence

import asyncpg

from shared.model import Author
from shared.oauth.resource.description import description, from_description
from shared.oauth.resource.record import ProtectedResource
from shared.store import Full, Stale, Taken
from shared.store.codecs.authors import author_detail
from shared.store.codecs.text import is_storable
from shared.store.postgres.changes import RESOURCES
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database

MOST = 1000
"""The maximum number of resources: every process keeps all of them in memory."""

_COLUMNS = "description, version, created_at"
_EVERY = f"SELECT {_COLUMNS} FROM protected_resources ORDER BY name_key"
_LIST = f"SELECT {_COLUMNS} FROM protected_resources WHERE name_key > $1 ORDER BY name_key LIMIT $2"
_FIND = f"SELECT {_COLUMNS} FROM protected_resources WHERE name_key = $1"


def _change_statement(change: str, event: str) -> str:
    """A statement that changes the resource $1, audits *event* with the author $2, and notifies processes."""
    return f"""
WITH changed AS ({change} RETURNING resource_key),
bumped AS (UPDATE change_counter SET value = value + 1 WHERE EXISTS (SELECT FROM changed) RETURNING value),
noted AS (INSERT INTO changes (name, value) SELECT '{RESOURCES}', value FROM bumped
          ON CONFLICT (name) DO UPDATE SET value = excluded.value),
audited AS (
  INSERT INTO audit (event, detail)
  SELECT '{event}', jsonb_build_object('resource', resource_key) || $2::jsonb FROM changed)
SELECT resource_key FROM changed"""


_ADD = _change_statement(
    f"""INSERT INTO protected_resources (resource_key, name_key, description) SELECT $1, $3, $4
   WHERE (SELECT count(*) FROM protected_resources) < {MOST}""",
    "resource_added",
)
_REPLACE = _change_statement(
    """UPDATE protected_resources SET name_key = $3, description = $4, version = version + 1,
     updated_at = now() WHERE resource_key = $1 AND version = $5""",
    "resource_changed",
)
_DELETE = _change_statement(
    "DELETE FROM protected_resources WHERE resource_key = $1 AND version = $3", "resource_deleted"
)


def _resource(row: Row) -> ProtectedResource:
    return from_description(row["description"], version=row["version"], created_at=row["created_at"])


class PostgresProtectedResources:
    """`ProtectedResources` over PostgreSQL: one statement each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def every(self) -> Sequence[ProtectedResource]:
        return [_resource(row) for row in await self._database.rows(_EVERY)]

    async def list(self, after: str | None, limit: int) -> Sequence[ProtectedResource]:
        return [_resource(row) for row in await self._database.rows(_LIST, (after or "").lower(), limit)]

    async def find(self, name: str) -> ProtectedResource | None:
        row = await self._database.row(_FIND, name.lower()) if is_storable(name) else None
        return _resource(row) if row else None

    async def add(self, resource: ProtectedResource, *, by: Author | None = None) -> None:
        try:
            row = await self._database.row(
                _ADD, resource.key, author_detail(by), resource.name.lower(), description(resource)
            )
        except asyncpg.UniqueViolationError:
            raise Taken(f"{resource.name} ({resource.resource})") from None
        if row is None:
            raise Full(f"there are {MOST} resources already")

    async def replace(self, resource: ProtectedResource, *, by: Author | None = None) -> None:
        try:
            row = await self._database.row(
                _REPLACE,
                resource.key,
                author_detail(by),
                resource.name.lower(),
                description(resource),
                resource.version,
            )
        except asyncpg.UniqueViolationError:
            raise Taken(resource.name) from None
        if row is None:
            raise Stale(resource.name)

    async def delete(self, resource: ProtectedResource, *, by: Author | None = None) -> bool:
        return (
            await self._database.row(_DELETE, resource.key, author_detail(by), resource.version) is not None
        )
