"""Statements: what they read is named, so that a migration of the next release changes no answer."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.rules.sources import modules, name_of, tree

SOURCES = modules("services", "shared")

_STAR = re.compile(
    r"\b(?:SELECT|RETURNING)\s+(?:\*\s*(?:FROM\s+(?P<of>[\w.]+))?|(?P<named>\w+)\.\*)", re.IGNORECASE
)


def _texts(node: ast.AST) -> Iterator[str]:
    """The strings within *node*; of an f-string its constant parts, put together."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _texts(child)


def stars(module: ast.Module) -> list[str]:
    """Each `*` that stands for the columns of a table, which the next release may add to.

    The columns of a common table expression, and of `unnest`, are those that the statement names.
    """
    return [
        found[0]
        for text in _texts(module)
        for found in _STAR.finditer(text)
        if not _is_named_here(found["of"] or found["named"] or "", text)
    ]


def _is_named_here(relation: str, text: str) -> bool:
    return relation == "unnest" or re.search(rf"\b{relation} AS \(", text) is not None


def test_no_statement_reads_every_column() -> None:
    """A prepared `SELECT *` fails in a running process once a migration has added a column."""
    found = {name_of(path): stars(tree(path)) for path in SOURCES}
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("SELECT * FROM users", 1),
        ("SELECT u.* FROM users u", 1),
        ("SELECT a FROM (SELECT * FROM users) b", 1),
        ("DELETE FROM users RETURNING *", 1),
        ("WITH family AS (SELECT a FROM b) SELECT * FROM family", 0),
        ("WITH family AS (SELECT a FROM b) SELECT family.*, 1", 0),
        ("SELECT * FROM unnest($1::text[])", 0),
        ("SELECT count(*) FROM users", 0),
    ],
)
def test_the_rule_finds_them(sql: str, count: int) -> None:
    """Also in an f-string."""
    assert len(stars(ast.parse(f"A = {sql!r}"))) == count
    assert len(stars(ast.parse(f"B = f{sql!r}"))) == count
