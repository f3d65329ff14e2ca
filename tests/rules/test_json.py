"""JSON from outside goes through the one parser that has limits."""

import ast
from collections.abc import Iterator

import pytest

from tests.rules.sources import modules, name_of, tree

OWN_JSON = ("shared/store/", "services/authorization/pages/start.py", "deploy/local/", "deploy/capacity/")
"""Read what Ostiary itself has written: its stores, the file of the demo, and its measurements."""
THE_PARSER = "shared/codec/json_text.py"

_PARSERS = {"json.load", "json.loads", "orjson.loads", "jwt.get_unverified_header", "jwt.decode"}

_METHODS = {name.rpartition(".")[2] for name in _PARSERS}

SOURCES = modules("services", "shared", "deploy")


def parsers(module: ast.Module) -> Iterator[str]:
    """The JSON parsers that a module names."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module in ("json", "orjson"):
            yield from (alias.name for alias in node.names if alias.name in ("load", "loads"))
        elif isinstance(node, ast.Attribute):
            is_parser = node.attr in _METHODS and ast.unparse(node) in _PARSERS
            if is_parser or node.attr == "model_validate_json":
                yield ast.unparse(node)
        elif isinstance(node, ast.Await) and ast.unparse(node.value).endswith(".json()"):
            yield ast.unparse(node.value)


def test_foreign_json_has_one_parser() -> None:
    """Depth, duplicates, NUL and lone surrogates are refused in one place."""
    named = {name_of(path): list(parsers(tree(path))) for path in SOURCES}
    foreign = {name: others for name, others in named.items() if not name.startswith((THE_PARSER, *OWN_JSON))}
    assert {name: others for name, others in foreign.items() if others} == {}


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
    assert list(parsers(ast.parse(source)))
