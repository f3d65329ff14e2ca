"""Compiled templates, kept in a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from jinja2 import Environment

from shared.browser.pages import templates
from shared.browser.pages.templates import FOLDER, CompiledTemplates

Load = Callable[[], int]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load all templates as a new process does. Returns the number of those that were compiled."""
    compiled: list[str | None] = []
    compile_one = Environment.compile

    def counting(self: Environment, source: str, name: str | None, filename: str | None) -> object:
        compiled.append(name)
        return compile_one(self, source, name, filename)

    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr(Environment, "compile", counting)

    def load() -> int:
        compiled.clear()
        monkeypatch.setattr(templates, "_COMPILED", CompiledTemplates(tmp_path))
        templates.templates(web.Application())
        return len(compiled)

    return load


def test_the_next_process_compiles_nothing(load: Load) -> None:
    """All are compiled once."""
    assert load() == len(list(FOLDER.iterdir()))
    assert load() == 0


def test_other_options_and_damage_are_noticed(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was compiled with other options, or not completely written, is compiled again."""
    total = load()
    for size, file in enumerate(sorted(tmp_path.iterdir())):
        file.write_bytes(file.read_bytes()[:size])
    assert load() == total
    monkeypatch.setitem(templates.OPTIONS, "trim_blocks", False)
    assert load() == total


def test_a_folder_that_cannot_be_written_does_no_harm(load: Load, tmp_path: Path) -> None:
    """Everything is compiled in each process."""
    tmp_path.rmdir()
    tmp_path.write_text("in its place")
    assert load() == load() > 0
