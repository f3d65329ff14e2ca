"""The table of log events in deploy/README.md against the events that the code logs."""

import ast
import re
from collections.abc import Iterator

from tests.rules.sources import ROOT, modules, tree

METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_ROW = re.compile(r"^\| (`[^|]+) \| ([^|]+) \|", re.MULTILINE)


def _events(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Each event and its level: the arguments of structlog's methods, and lines written past structlog."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            logger = ast.unparse(node.func.value)
            if logger in ("logger", "structlog.get_logger()"):
                names = (argument for argument in node.args if isinstance(argument, ast.Constant))
                yield str(next(names).value), node.func.attr
        elif isinstance(node, ast.Dict):
            members = {
                ast.unparse(key): value for key, value in zip(node.keys, node.values, strict=True) if key
            }
            event = members.get("'event'")
            if isinstance(event, ast.Constant) and isinstance(event.value, str):
                level = members.get("'level'")
                yield event.value, str(level.value) if isinstance(level, ast.Constant) else "?"


def _logged() -> set[tuple[str, str]]:
    events = {event for path in modules("services", "shared") for event in _events(tree(path))}
    return {(name, level.replace("exception", "error")) for name, level in events}


def _documented() -> list[tuple[str, str]]:
    text = (ROOT / "deploy" / "README.md").read_text("utf-8")
    table = text.partition("\n### Log events\n")[2].partition("\n## ")[0]
    return [
        (name, "log" if level.startswith("that") else level)
        for names, level in _ROW.findall(table)
        for name in re.findall(r"`(\w+)`", names)
    ]


def test_every_log_event_is_documented_and_nothing_else() -> None:
    """The table has each event once, with its level."""
    documented = _documented()
    assert documented
    assert sorted(documented) == sorted(_logged())
