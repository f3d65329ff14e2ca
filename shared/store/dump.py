"""A dump of the database by `pg_dump`, and its return by `pg_restore`.

What stands in a database that is replaced is put aside in a schema of its own until the dump is in, so that a
restore that fails loses nothing.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from shared.process.operator_error import OperatorError
from shared.store.migrate import CONNECT_TIMEOUT, UNLIMITED, applied_migrations
from shared.store.postgres.transport.connection import NO_FILE, WRITABLE, named_by

ASIDE = "ostiary_replaced"
LOCK_TIMEOUT = "30s"

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_COUNT = 'SELECT count(*) FROM "{table}"'
_MAJOR = "SELECT current_setting('server_version_num')::int / 10000"
_ISSUER = "SELECT issuer FROM deployment"
_KEYS = "SELECT kid, private FROM keys ORDER BY kid"

_EACH_OBJECT = """
DO $$
DECLARE object text;
BEGIN
  FOR object IN SELECT format('TABLE %s', oid::regclass) FROM pg_class
    WHERE relnamespace = '{schema}'::regnamespace AND relkind IN ('r', 'p')
  LOOP EXECUTE format('{command}', object); END LOOP;
  FOR object IN SELECT format('SEQUENCE %s', oid::regclass) FROM pg_class
    WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'S'  -- a column's has gone with its table
  LOOP EXECUTE format('{command}', object); END LOOP;
  FOR object IN SELECT format('ROUTINE %s', oid::regprocedure) FROM pg_proc
    WHERE pronamespace = '{schema}'::regnamespace
  LOOP EXECUTE format('{command}', object); END LOOP;
END $$"""
_PUT_ASIDE = _EACH_OBJECT.format(schema="public", command=f"ALTER %s SET SCHEMA {ASIDE}")
_BRING_BACK = _EACH_OBJECT.format(schema=ASIDE, command="ALTER %s SET SCHEMA public")
_DROP_ALL = _EACH_OBJECT.format(schema="public", command="DROP %s CASCADE")

_ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C",
    "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in UNLIMITED.items()),
    "PGPASSFILE": NO_FILE,
}


class DumpError(OperatorError):
    """PostgreSQL's own tools could not do it; says why."""

    template = "The tools of PostgreSQL failed: {}"


@dataclass(frozen=True, slots=True)
class DatabaseContents:
    """What a database holds: for the manifest of a backup, and for comparing a restored database with it.

    `migrations`: the checksum of each by its name. `rows`: the number in each table. `keys`: each private key
    by its kid, encrypted; empty where only the public key is kept.
    """

    at: datetime
    issuer: str | None
    migrations: Mapping[str, str]
    rows: Mapping[str, int]
    keys: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Tools:
    """PostgreSQL's client programs of one installation."""

    pg_dump: str
    pg_restore: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A moment of the database that `pg_dump` sees too, however much is written meanwhile."""

    name: str
    contents: DatabaseContents


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        url, timeout=CONNECT_TIMEOUT, server_settings=UNLIMITED, **WRITABLE, **named_by(url)
    )
    try:
        yield connection
    finally:
        await connection.close()


async def server_major(url: str) -> int:
    """The major version of the server. Raises OSError, asyncpg.PostgresError."""
    async with _connection(url) as connection:
        major: int = await connection.fetchval(_MAJOR)
        return major


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """A snapshot, and what the database holds in it. Raises OSError, asyncpg.PostgresError."""
    async with (
        _connection(url) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        name = await connection.fetchval("SELECT pg_export_snapshot()")
        yield Snapshot(name, await _contents(connection))


async def contents(url: str) -> DatabaseContents:
    """What the database holds now. Raises OSError, asyncpg.PostgresError."""
    async with _connection(url) as connection:
        return await _contents(connection)


async def _contents(connection: asyncpg.Connection) -> DatabaseContents:
    tables = [row["tablename"] for row in await connection.fetch(_TABLES)]
    return DatabaseContents(
        at=await connection.fetchval("SELECT clock_timestamp()"),
        issuer=await connection.fetchval(_ISSUER),
        migrations=await applied_migrations(connection),
        rows={table: await connection.fetchval(_COUNT.format(table=table)) for table in tables},
        keys={row["kid"]: row["private"] for row in await connection.fetch(_KEYS)},
    )


async def tables(url: str) -> list[str]:
    """The names of the tables in the database. Raises OSError, asyncpg.PostgresError."""
    async with _connection(url) as connection:
        return [row["tablename"] for row in await connection.fetch(_TABLES)]


async def dump(tools: Tools, url: str, moment: Snapshot, file: Path) -> None:
    """Write the database as it was at *moment* to *file*, in the custom format. Raises DumpError."""
    await _run(
        (tools.pg_dump, "--format=custom", "--schema=public", "--no-owner", f"--snapshot={moment.name}"),
        (f"--file={file}",),
        url,
    )


async def check_archive(tools: Tools, file: Path) -> None:
    """Read the table of contents of a dump. Raises DumpError."""
    await _run((tools.pg_restore, "--list", str(file)), (), None)


@asynccontextmanager
async def emptied(url: str) -> AsyncIterator[None]:
    """An empty database; what it held comes back if the body fails, and is dropped if it does not.

    Raises OSError, asyncpg.PostgresError.
    """
    await put_aside(url)
    try:
        yield
    except BaseException:
        await bring_back(url)
        raise
    async with _connection(url) as connection:
        await connection.execute(f"DROP SCHEMA {ASIDE} CASCADE")


async def put_aside(url: str) -> None:
    """Move everything out of the way. Raises OSError, asyncpg.PostgresError."""
    async with _connection(url) as connection, connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute(f"CREATE SCHEMA {ASIDE}")
        await connection.execute(_PUT_ASIDE)


async def bring_back(url: str) -> None:
    """Move everything back that was put aside, by a restore that was killed too. Raises as `put_aside`."""
    async with _connection(url) as connection, connection.transaction():
        if await connection.fetchval(f"SELECT to_regnamespace('{ASIDE}') IS NOT NULL"):
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            await connection.execute(_DROP_ALL)
            await connection.execute(_BRING_BACK)
            await connection.execute(f"DROP SCHEMA {ASIDE}")


async def restore(tools: Tools, url: str, file: Path) -> None:
    """Bring a dump into an empty database, whole or not at all. Raises DumpError."""
    await _run(
        (tools.pg_restore, "--single-transaction", "--exit-on-error", "--no-owner", "--schema=public"),
        (str(file),),
        url,
    )


async def _run(command: Iterable[str], arguments: Iterable[str], url: str | None) -> None:
    """Run one of the tools against the database at *url*, whose password is in no list of processes."""
    environment = {**_ENVIRONMENT}
    if url is not None:
        parts = urlsplit(url)
        if parts.password is not None:
            environment["PGPASSWORD"] = unquote(parts.password)
            parts = parts._replace(netloc=re.sub(r":[^:@]*@", "@", parts.netloc, count=1))
        command = (*command, f"--dbname={urlunsplit(parts)}")
    process = await asyncio.create_subprocess_exec(
        *command,
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, errors = await process.communicate()
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise DumpError(lines[0] if lines else f"{next(iter(command))} exited with {process.returncode}")
