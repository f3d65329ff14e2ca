"""The schema of a database against the one that this version's migrations make.

The migrations run in a schema of their own inside a transaction that is rolled back, so that the two are
described by the same server, and nothing stays.
"""

from collections.abc import Mapping

import asyncpg

from shared.store.migrate import AFTERWARDS, CONNECT_TIMEOUT, UNLIMITED, migrations
from shared.store.postgres.transport.connection import WRITABLE, named_by

_SCRATCH = "ostiary_expected_schema"

# `true`: names without their schema, where that is the first of the search path.
_DESCRIBE = """
SELECT 'table ' || c.relname AS name, '' AS definition, true AS is_valid
  FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'column ' || c.relname || '.' || a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                 CASE WHEN a.attidentity <> '' THEN 'IDENTITY' END,
                 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid, true)), true
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'constraint ' || c.relname || '.' || o.conname, pg_get_constraintdef(o.oid, true), o.convalidated
  FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
 WHERE c.relnamespace = $1::regnamespace AND o.contype <> 'n'  -- NOT NULL stands with its column
UNION ALL
SELECT 'index ' || c.relname, pg_get_indexdef(i.indexrelid, 0, true), i.indisvalid
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = $1::regnamespace
UNION ALL
SELECT 'trigger ' || c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid, true), t.tgenabled <> 'D'
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = $1::regnamespace AND NOT t.tgisinternal
UNION ALL
SELECT 'function ' || p.proname, md5(p.prosrc), true FROM pg_proc p WHERE p.pronamespace = $1::regnamespace
UNION ALL
SELECT 'sequence ' || c.relname, '', true
  FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'S'"""


class _Undo(Exception):
    """Ends the transaction."""


async def schema_faults(url: str) -> list[str]:
    """What the schema lacks, or has otherwise than the migrations make it: a sentence each.

    What it has beyond them is nobody's fault: an operator's index, or a table of a later version. Raises
    OSError, asyncpg.PostgresError.
    """
    connection = await asyncpg.connect(
        url, timeout=CONNECT_TIMEOUT, server_settings=UNLIMITED, **WRITABLE, **named_by(url)
    )
    try:
        expected = await _expected(connection)
        return _compare(expected, await _describe(connection, "public"))
    finally:
        await connection.close()


async def _expected(connection: asyncpg.Connection) -> Mapping[str, tuple[str, bool]]:
    expected: Mapping[str, tuple[str, bool]] = {}
    try:
        async with connection.transaction():
            await connection.execute(f"CREATE SCHEMA {_SCRATCH}")
            await connection.execute(f"SET LOCAL search_path = {_SCRATCH}")
            for migration in migrations():
                await connection.execute(migration.sql.replace(" CONCURRENTLY", ""))
                if step := AFTERWARDS.get(migration.name):
                    await step(connection)
            expected = await _describe(connection, _SCRATCH)
            raise _Undo
    except _Undo:
        return expected


async def _describe(connection: asyncpg.Connection, schema: str) -> Mapping[str, tuple[str, bool]]:
    return {
        row["name"]: (row["definition"], row["is_valid"]) for row in await connection.fetch(_DESCRIBE, schema)
    }


def _compare(expected: Mapping[str, tuple[str, bool]], actual: Mapping[str, tuple[str, bool]]) -> list[str]:
    faults = []
    for name, (definition, _) in sorted(expected.items()):
        if name not in actual:
            faults.append(f"{name} is missing")
        elif actual[name][0] != definition:
            faults.append(f"{name} is {actual[name][0]!r}, but should be {definition!r}")
        elif not actual[name][1]:
            faults.append(f"{name} is not valid: it was left half made, or is switched off")
    return faults
