"""Compiled templates, kept in a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from jinja2 import Environment

from shared.browser.pages import templates
from shared.browser.pages.templates import CompiledTemplates

Load = Callable[[], int]
TEMPLATES = 100  # more than a compiled one has bytes before its code


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load some templates as a new process does. Returns the number of those that were compiled."""
    sources, compiled = tmp_path / "sources", list[str | None]()
    sources.mkdir()
    for number in range(TEMPLATES):
        (sources / f"{number}.html").write_text(f"<p>\n{{% if a %}}\n{number}\n{{% endif %}}\n</p>")
    compile_one = Environment.compile

    def counting(self: Environment, source: str, name: str | None, filename: str | None) -> object:
        compiled.append(name)
        return compile_one(self, source, name, filename)

    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr(Environment, "compile", counting)
    monkeypatch.setattr(templates, "FOLDER", sources)
    (tmp_path / "compiled").mkdir()

    def load() -> int:
        compiled.clear()
        monkeypatch.setattr(templates, "_COMPILED", CompiledTemplates(tmp_path / "compiled"))
        templates.templates(web.Application())
        return len(compiled)

    return load


def test_the_next_process_compiles_nothing(load: Load) -> None:
    """All are compiled once."""
    assert load() == TEMPLATES
    assert load() == 0


def test_other_options_and_damage_are_noticed(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was compiled with other options, or not completely written, is compiled again."""
    load()
    for size, file in enumerate((tmp_path / "compiled").iterdir()):
        file.write_bytes(file.read_bytes()[:size])
    assert load() == TEMPLATES
    monkeypatch.setitem(templates.OPTIONS, "trim_blocks", False)
    assert load() == TEMPLATES


def test_a_folder_that_cannot_be_written_does_no_harm(load: Load, tmp_path: Path) -> None:
    """Everything is compiled in each process."""
    (tmp_path / "compiled").rmdir()
    (tmp_path / "compiled").write_text("in its place")
    assert load() == load() == TEMPLATES
