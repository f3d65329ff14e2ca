"""The modules of the tree, each parsed once for all rules of a session."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


def modules(*folders: str) -> tuple[Path, ...]:
    """The modules in folders of the tree, in order."""
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(sorted(path for path in paths if "node_modules" not in path.parts))


def name_of(path: Path) -> str:
    """The path from the root of the tree."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a module, which its readers do not change."""
    return ast.parse(path.read_text("utf-8"))


@cache
def docstring(path: Path) -> str:
    """The docstring of a module; empty if it has none, or does not exist."""
    return ast.get_docstring(tree(path)) or "" if path.exists() else ""
