"""JSON from outside goes through the one parser that has limits."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

OWN_JSON = ("shared/store/", "services/authorization/pages/start.py", "deploy/local/", "deploy/capacity/")
"""Read what Ostiary itself has written: its stores, the file of the demo, and its measurements."""
THE_PARSER = "shared/codec/json_text.py"

_PARSERS = {"json.load", "json.loads", "orjson.loads", "jwt.get_unverified_header", "jwt.decode"}

SOURCES = sorted(
    path for folder in ("services", "shared", "deploy") for path in (ROOT / folder).rglob("*.py")
)


def parsers(source: str) -> Iterator[str]:
    """The JSON parsers that *source* names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in ("json", "orjson"):
            yield from (alias.name for alias in node.names if alias.name in ("load", "loads"))
        elif isinstance(node, ast.Attribute):
            if ast.unparse(node) in _PARSERS or node.attr == "model_validate_json":
                yield ast.unparse(node)
        elif isinstance(node, ast.Await) and ast.unparse(node.value).endswith(".json()"):
            yield ast.unparse(node.value)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_foreign_json_has_one_parser(path: Path) -> None:
    """Depth, duplicates, NUL and lone surrogates are refused in one place."""
    name = path.relative_to(ROOT).as_posix()
    if name != THE_PARSER and not name.startswith(OWN_JSON):
        assert list(parsers(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "value = orjson.loads(data)",
        "read = json.loads",
        "from json import loads",
        "header = jwt.get_unverified_header(token)",
        "async def handler(request):\n    return await request.json()",
        "Model.model_validate_json(data)",
    ],
)
def test_the_rule_finds_each_other_parser(source: str) -> None:
    """The rule finds planted violations."""
    assert list(parsers(source))
