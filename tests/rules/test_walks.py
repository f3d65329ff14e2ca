"""The step-by-step walks in package docstrings name existing files."""

import re

import pytest

from tests.rules.sources import ROOT, docstring, modules, name_of

MAX_LINES = 30


def _walks() -> dict[str, str]:
    paths = (path for path in modules("services", "shared") if path.name == "__init__.py")
    packages = {name_of(path.parent): docstring(path) for path in paths}
    return {package: text for package, text in packages.items() if "step by step" in text}


WALKS = _walks()


def _files(text: str) -> list[str]:
    return re.findall(r"`([\w/]+\.py)`", text)


def test_a_registration_has_a_walk() -> None:
    """There are walks to check."""
    assert "services/client_registry" in WALKS


@pytest.mark.parametrize("package", sorted(WALKS))
def test_a_walk_is_short_and_visits_each_file_once(package: str) -> None:
    """Every file of a walk exists, and no two steps name the same one."""
    text = WALKS[package]
    missing = [
        name for name in _files(text) if not (ROOT / package / name).exists() and not (ROOT / name).exists()
    ]
    assert missing == []
    steps = _files(text[text.index("\n1. ") :].split("\n\n", 1)[0])
    assert sorted(set(steps)) == sorted(steps)
    assert len(text.splitlines()) <= MAX_LINES
