"""Databases for tests: migrated, empty, and reused after they have been emptied.

Emptying takes a hundredth of the time of creating. A database whose schema a test has changed, or which has
many rows, is dropped instead.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import asyncpg

from deploy.local.postgres import Postgres
from shared.store.migrate import migrate

TEMPLATE = "migrated"
MANY_ROWS = 2_000

_T = TypeVar("_T")

# By the identifiers of the server, which a copy of the template has too, and whatever else may have changed.
_SCHEMA = """
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
  SELECT concat_ws(' ', attrelid, attname, atttypid, attnotnull, attisdropped) AS line
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', oid, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', oid, relname, relacl, relhassubclass) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', nspname, nspacl) FROM pg_namespace WHERE nspname = 'public'
  UNION ALL SELECT concat_ws(' ', setdatabase, setrole, setconfig) FROM pg_db_role_setting) AS lines"""

_TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
_ROWS = "SELECT coalesce(json_agg(t), '[]')::text FROM {table} t"
_RESTORE = """
INSERT INTO {table} OVERRIDING SYSTEM VALUE
SELECT * FROM json_populate_recordset(NULL::{table}, $1::text::json)"""
_RESTART = "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence"
_DISCONNECT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@dataclass(slots=True)
class Databases:
    """The databases of one server."""

    postgres: Postgres
    _schema: str = ""
    _tables: dict[str, str] = field(default_factory=dict)  # the rows that migrations leave, as JSON
    _free: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def prepare(self) -> None:
        """Create the template."""
        _run(self._on_server(f"CREATE DATABASE {TEMPLATE}"))
        _run(migrate(self.postgres.url_of(TEMPLATE)))
        _run(self._remember())

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The URL of an empty database."""
        name = self._free.pop() if self._free else self._create()
        try:
            yield self.postgres.url_of(name)
        finally:
            if _run(self._empty(name)):
                self._free.append(name)
            else:
                _run(self._on_server(f"DROP DATABASE {name} WITH (FORCE)"))

    def _create(self) -> str:
        name = f"test_{next(self._numbers)}"
        _run(self._on_server(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
        return name

    async def _on_server(self, statement: str, *arguments: Any) -> None:
        connection = await asyncpg.connect(self.postgres.url)
        try:
            await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    async def _remember(self) -> None:
        connection = await asyncpg.connect(self.postgres.url_of(TEMPLATE))
        try:
            self._schema = await connection.fetchval(_SCHEMA)
            for (table,) in await connection.fetch(_TABLES):
                self._tables[table] = await connection.fetchval(_ROWS.format(table=table))
        finally:
            await connection.close()

    async def _empty(self, name: str) -> bool:
        """Empty the database. False: dropping it is cheaper."""
        try:
            connection = await asyncpg.connect(self.postgres.url_of(name))
        except asyncpg.PostgresError:
            return False  # it takes no connections any more
        try:
            await connection.execute(_DISCONNECT)
            if await connection.fetchval(_SCHEMA) != self._schema:
                return False
            async with connection.transaction():
                await connection.execute("SET LOCAL session_replication_role = replica")  # no foreign keys
                deleted = 0
                for table, rows in self._tables.items():
                    deleted += int((await connection.execute(f"DELETE FROM {table}")).split()[1])
                    if rows != "[]":
                        await connection.execute(_RESTORE.format(table=table), rows)
                await connection.execute(_RESTART)
            return deleted < MANY_ROWS
        finally:
            await connection.close()


def _run(step: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run(step)
