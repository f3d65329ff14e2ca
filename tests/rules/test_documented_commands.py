"""Every `ostiary` command in the documentation against the command line."""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from services.cli import main
from tests.each_case import check_each
from tests.flow.command_line import verb_of

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "deploy/README.md", "SECURITY.md", "CHANGELOG.md")
_INLINE = re.compile(r"`(?:[A-Z_]+=\S+ )?ostiary ([^`]+)`")
_IN_BLOCK = re.compile(r"^(?:\$ .*|ExecStart=)?\S*bin/ostiary ([^|>\n]+)", re.MULTILINE)


def _commands() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        text = (ROOT / document).read_text("utf-8")
        for command in sorted({*_INLINE.findall(text), *_IN_BLOCK.findall(text)}):
            yield document, " ".join(command.split())


COMMANDS = tuple(_commands())


def _exists(_: str, line: str) -> None:
    words = line.split()
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        verb = verb_of(command, words.pop(0))
        assert verb
        command = verb
    options = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_every_documented_command_exists() -> None:
    """Documented verbs and options exist."""
    check_each({f"{document}: ostiary {line}": line for document, line in COMMANDS}, _exists)


def test_the_documents_name_commands() -> None:
    """The patterns find known examples."""
    assert len(COMMANDS) > 25
    assert ("deploy/README.md", "migrate") in COMMANDS
    assert ("deploy/README.md", "client add files.json") in COMMANDS
