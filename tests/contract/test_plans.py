"""How PostgreSQL would run each statement on large tables: by an index, never row by row."""

import re
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import asyncpg
import orjson
import pytest_asyncio

import shared.store.postgres
from shared.store.postgres import consents
from tests.bench.filler import Filling, fill

LARGE = {
    "users",
    "user_names",
    "user_credentials",
    "clients",
    "sessions",
    "consents",
    "grants",
    "refresh_families",
    "groups",
    "group_members",
    "group_parents",
    "roles",
    "user_roles",
    "group_roles",
    "audit",
    "personal_access_tokens",
}
FILLING = Filling(users=4_000, clients=4_000, grants=4_000, groups=4_000, records=4_000)
_STATEMENT = re.compile(r"\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE)\b")

EXEMPT = {
    "audit._COUNT": "`ostiary audit verify` reads every row besides",
    "client_uses._UNUSED_FOR": "an operator's report on every client",
    "clients._WRAPPED": "`ostiary keys rewrap` reads every client",
    "deployment._END_MADE_BEFORE": "runs once after a restore, and ends nearly everything",
    "users._ABSENT_CLAIMS": "`ostiary` warns of a claim that no user has, and stops at the first who has it",
}
"""Statements that read a whole large table, by module and name, each with its reason."""


PAGES = {
    "audit._LATEST",
    "audit._LATEST_OF_CLIENT",
    "audit._LATEST_OF_EVENT",
    "audit._LATEST_OF_EVENT_AND_CLIENT",
    "audit._LIST",
    "audit._OF_USER",
    "clients._LIST",
    "grants._LIST_OF_CLIENT",
    "groups._LIST",
    "roles._LIST",
    "sessions._LIST",
    "users._LIST",
}
"""Statements that read a page of the rows of many users, by module and name."""


def statements() -> Iterator[tuple[str, str]]:
    """Every statement of the stores, by module and name."""
    seen = set()
    for module in iter_modules(shared.store.postgres.__path__):
        for name, value in vars(import_module(f"shared.store.postgres.{module.name}")).items():
            if isinstance(value, str) and _STATEMENT.match(value) and value not in seen:
                seen.add(value)
                yield f"{module.name}.{name}", value


def faults(plan: Any, partial: Collection[str], *, is_limited: bool = False) -> Iterator[str]:
    """The parts of a plan that read a large table from one end to the other.

    *partial*: the indexes of a few rows of a table, which may be read as a whole.
    """
    kind, table = plan["Node Type"], plan.get("Relation Name")
    is_limited = is_limited or kind == "Limit"
    if table in LARGE and kind == "Seq Scan":
        yield f"Seq Scan of {table}"
    is_whole = "Index" in kind and "Index Cond" not in plan and plan.get("Index Name") not in partial
    if table in LARGE and is_whole and not is_limited and kind != "Bitmap Heap Scan":
        yield f"{kind} of all of {table}"
    for below in plan.get("Plans", ()):
        yield from faults(below, partial, is_limited=is_limited)


def detours(plan: Any, *, is_limited: bool = False) -> Iterator[str]:
    """The parts of a plan that read more rows than a page has: to put them in order, or to pass them over."""
    kind = plan["Node Type"]
    if is_limited and ("Sort" in kind or "Bitmap" in kind or kind == "Seq Scan"):
        yield kind
    if is_limited and "Relation Name" in plan and "Filter" in plan and "Index Cond" not in plan:
        yield f"{kind} with a filter"
    for below in plan.get("Plans", ()):
        if below.get("Subplan Name") is None:
            yield from detours(below, is_limited=is_limited or kind == "Limit")


async def plan_of(connection: asyncpg.Connection, statement: str) -> Any:
    """The plan for any parameters, as JSON. Raises PostgresError: this is not a whole statement."""
    await connection.execute(f"PREPARE explained AS {statement}")
    try:
        count = await connection.fetchval(
            "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'explained'"
        )
        values = f"({', '.join(['NULL'] * count)})" if count else ""
        explained = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE explained {values}")
    finally:
        await connection.execute("DEALLOCATE explained")
    return orjson.loads(explained)[0]["Plan"]


@dataclass(frozen=True, slots=True)
class FullDatabase:
    """A connection to a database whose tables are large enough for the planner."""

    connection: asyncpg.Connection
    partial: Collection[str]

    async def faults(self, statement: str) -> list[str]:
        """What a statement reads from end to end."""
        return list(faults(await plan_of(self.connection, statement), self.partial))

    async def detours(self, statement: str) -> tuple[str, ...]:
        """How a statement that reads a page reads other rows, too."""
        return tuple(detours(await plan_of(self.connection, statement)))


@pytest_asyncio.fixture(scope="module")
async def full(module_database_url: str) -> AsyncIterator[FullDatabase]:
    """The database of the module, filled."""
    await fill(module_database_url, FILLING)
    connection = await asyncpg.connect(module_database_url)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    rows = await connection.fetch(
        "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indpred IS NOT NULL"
    )
    yield FullDatabase(connection, {row["relname"] for row in rows})
    await connection.close()


async def test_no_statement_reads_a_large_table_from_end_to_end(full: FullDatabase) -> None:
    """Lists, filters and counts too: each finds its rows by an index, or stops at a limit."""
    found = {name: await full.faults(statement) for name, statement in statements()}
    assert len(found) > 100
    assert {name for name, each in found.items() if each} == EXEMPT.keys(), found


async def test_a_missing_index_is_found(full: FullDatabase) -> None:
    """The grants of a user, without the index that lists them."""
    transaction = full.connection.transaction()
    await transaction.start()
    await full.connection.execute("DROP INDEX grants_by_user")
    found = await full.faults(consents._OF_USER)
    await transaction.rollback()
    assert "Seq Scan of grants" in found
    assert await full.faults(consents._OF_USER) == []


async def test_a_page_is_read_in_the_order_of_an_index(full: FullDatabase) -> None:
    """Its cost is that of its own rows, however many there are after it."""
    found = {name: await full.detours(statement) for name, statement in statements() if name in PAGES}
    assert found == dict.fromkeys(PAGES, ())
