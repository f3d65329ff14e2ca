"""Only public names of aiohttp are used, so that any release within the pinned range works."""

import ast
import inspect
import re
from collections.abc import Iterator

import pytest

from shared.server.http.connection import HttpConnection, WrittenResponse
from shared.server.http.server import HttpServer, Runner
from shared.web.request import Request
from tests.rules.sources import modules, tree

PUBLIC = {"aiohttp", "aiohttp.abc", "aiohttp.http", "aiohttp.http_exceptions"}
PRIVATE = re.compile(r"\b_[a-z]\w*")


def _imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_internal_module_of_aiohttp_is_imported() -> None:
    """Names that aiohttp's documentation does not have."""
    for path in modules("shared", "services", "deploy"):
        assert {name for name in _imported(tree(path)) if name.startswith("aiohttp.")} <= PUBLIC, path


def _bases(kind: type) -> Iterator[type]:
    return (base for base in kind.__mro__ if base.__module__.startswith("aiohttp."))


@pytest.mark.parametrize("kind", [HttpConnection, WrittenResponse, Request, Runner, HttpServer])
def test_no_private_name_of_a_base_class_is_used(kind: type) -> None:
    """Private names are neither read nor overridden."""
    ours = set(PRIVATE.findall(inspect.getsource(kind)))
    theirs = {name for base in _bases(kind) for name in PRIVATE.findall(inspect.getsource(base))}
    assert theirs, "aiohttp has private names: the test looks at the wrong classes"
    assert not ours & theirs
