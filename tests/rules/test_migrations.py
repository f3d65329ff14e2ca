"""Every migration leaves the previous release working: it only expands, and locks no table for long."""

import re

import pytest

from shared.store.migrate import Migration, MigrationMode, migrations

FROM, LOCKS_FROM = "0014", "0021"
"""Those before were judged by hand."""

_BREAKING = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|CONSTRAINT|INDEX|SEQUENCE|VIEW|FUNCTION|TRIGGER|TYPE)\b"
    r"|\bRENAME\b|\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b|\bSET\s+NOT\s+NULL\b|\bTRUNCATE\b|\bDELETE\s+FROM\b"
    r"|\bADD\s+COLUMN\s+(IF\s+NOT\s+EXISTS\s+)?\S+\s+(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b"
    r"|\bADD\s+CONSTRAINT\b(?![^;]*\bNOT\s+VALID\b)",
    re.IGNORECASE,
)

_MADE = re.compile(r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)", re.IGNORECASE)
_INDEX = re.compile(r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\b(?!\s+CONCURRENTLY)[^;]*?\bON\s+(\w+)", re.IGNORECASE)
_ROWS = re.compile(r"^(UPDATE|INSERT\s+INTO[^;]*\bSELECT)\b", re.IGNORECASE | re.MULTILINE)
_BATCH = re.compile(r"\AUPDATE\b[^;]*\bLIMIT\s+\d+[^;]*;?\Z", re.IGNORECASE)


def _code(sql: str) -> str:
    return re.sub(r"--[^\n]*", "", sql).strip()


def breaks(sql: str) -> str | None:
    """What in *sql* breaks the release before, which still runs."""
    broken = _BREAKING.search(_code(sql))
    return broken and " ".join(broken[0].split())


def holds_up(migration: Migration) -> str | None:
    """What in a migration holds a lock for as long as a table is large."""
    code = _code(migration.sql)
    match migration.mode:
        case MigrationMode.IN_BATCHES:
            return None if _BATCH.match(code) else "a batch is one UPDATE with a LIMIT"
        case MigrationMode.NO_TRANSACTION:
            return "one statement has no transaction" if ";" in code.removesuffix(";") else None
        case MigrationMode.IN_TRANSACTION:
            strange = set(_INDEX.findall(code)) - set(_MADE.findall(code))
            if strange:
                return f"CREATE INDEX without CONCURRENTLY on {', '.join(sorted(strange))}"
            return "rows are changed in batches" if _ROWS.search(code) else None


@pytest.mark.parametrize(
    "migration", [each for each in migrations() if each.name > FROM], ids=lambda migration: migration.name
)
def test_a_migration_only_expands(migration: Migration) -> None:
    """What the previous release reads and writes keeps its name, its type and its meaning."""
    assert breaks(migration.sql) is None


def test_a_migration_locks_no_table_for_long() -> None:
    """Indexes of existing tables are built CONCURRENTLY, and rows are changed in batches."""
    faults = {each.name: holds_up(each) for each in migrations() if each.name > LOCKS_FROM}
    assert {name: fault for name, fault in faults.items() if fault} == {}


@pytest.mark.parametrize(
    ("sql", "holds_up_a_table"),
    [
        ("CREATE INDEX i ON users (a)", True),
        ("CREATE UNIQUE INDEX IF NOT EXISTS i\n ON users (a)", True),
        ("CREATE TABLE t (a text);\nCREATE INDEX i ON t (a)", False),
        ("-- no-transaction\nCREATE INDEX CONCURRENTLY i ON users (a);", False),
        ("-- no-transaction\nCREATE INDEX CONCURRENTLY i ON users (a); SELECT 1", True),
        ("UPDATE users SET a = b", True),
        ("-- in batches\nUPDATE users SET a = b", True),
        (
            "-- in batches\nUPDATE users SET a = b WHERE id IN (SELECT id FROM users WHERE a <> b LIMIT 500)",
            False,
        ),
        ("INSERT INTO t (a)\nSELECT a FROM users", True),
        ("INSERT INTO t DEFAULT VALUES", False),
    ],
)
def test_the_rule_knows_what_holds_up(sql: str, holds_up_a_table: bool) -> None:
    """Each of those that hold up a table lets requests to it wait for longer the larger it is."""
    assert (holds_up(Migration("9999_test", sql)) is not None) is holds_up_a_table


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE credentials",
        "ALTER TABLE users DROP COLUMN email",
        "ALTER TABLE users RENAME username TO name",
        "ALTER TABLE users ALTER COLUMN username TYPE varchar(9)",
        "ALTER TABLE users ALTER username SET NOT NULL",
        "ALTER TABLE users ADD COLUMN x text NOT NULL",
        "ALTER TABLE users ADD CONSTRAINT x CHECK (a > 1)",
        "DELETE FROM users",
    ],
)
def test_the_rule_knows_what_breaks(sql: str) -> None:
    """Each of these fails in a process of the release before, or while it writes."""
    assert breaks(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x (y text NOT NULL)",
        "ALTER TABLE users ADD COLUMN x text NOT NULL DEFAULT ''",
        "ALTER TABLE users ADD COLUMN IF NOT EXISTS x text",
        "ALTER TABLE users ADD CONSTRAINT x CHECK (a > 1) NOT VALID",
        "-- DROP TABLE x\nCREATE INDEX y ON users (z)",
    ],
)
def test_the_rule_lets_a_schema_grow(sql: str) -> None:
    """None of these is seen by the release before."""
    assert breaks(sql) is None
