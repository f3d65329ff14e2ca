"""Every migration leaves the previous release working: it only expands."""

import re

import pytest

from shared.store.migrate import Migration, migrations

FROM = "0014"
"""Those before were judged by hand."""

_BREAKING = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|CONSTRAINT|INDEX|SEQUENCE|VIEW|FUNCTION|TRIGGER|TYPE)\b"
    r"|\bRENAME\b|\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b|\bSET\s+NOT\s+NULL\b|\bTRUNCATE\b|\bDELETE\s+FROM\b"
    r"|\bADD\s+COLUMN\s+(IF\s+NOT\s+EXISTS\s+)?\S+\s+(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b"
    r"|\bADD\s+CONSTRAINT\b(?![^;]*\bNOT\s+VALID\b)",
    re.IGNORECASE,
)


def breaks(sql: str) -> str | None:
    """What in *sql* breaks the release before, which still runs."""
    code = re.sub(r"--[^\n]*", "", sql)
    broken = _BREAKING.search(code)
    return broken and " ".join(broken[0].split())


@pytest.mark.parametrize(
    "migration", [each for each in migrations() if each.name > FROM], ids=lambda migration: migration.name
)
def test_a_migration_only_expands(migration: Migration) -> None:
    """What the previous release reads and writes keeps its name, its type and its meaning."""
    assert breaks(migration.sql) is None


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
