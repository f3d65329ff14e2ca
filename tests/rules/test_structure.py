"""The structure of the tree: small folders, and unique names of classes."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import shared
from tests.rules.sources import ROOT, docstring, modules, name_of, tree

DOZEN = 12
SOURCES = modules("services", "shared", "deploy")
FOLDERS = sorted({path.parent for path in SOURCES})


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_shared_has_no_loose_files() -> None:
    """Only the records and the paths are directly in `shared`."""
    loose = {path.name for path in (ROOT / "shared").glob("*.py")}
    assert loose == {"__init__.py", "model.py", "paths.py"}


def is_overfull(count: int, text: str) -> bool:
    """Whether a folder has more than a dozen modules without a reason in its docstring."""
    return count > DOZEN and "More than a dozen modules: " not in text


def _inhabitants(folder: Path) -> int:
    return len([path for path in folder.glob("*.py") if path.name != "__init__.py"])


def test_a_folder_of_more_than_a_dozen_modules_says_why() -> None:
    """A folder with more than a dozen modules has a reason in its docstring."""
    texts = {folder: docstring(folder / "__init__.py") for folder in FOLDERS}
    assert [name_of(each) for each, text in texts.items() if is_overfull(_inhabitants(each), text)] == []


def test_the_rule_finds_an_overfull_folder() -> None:
    """The rule finds planted violations."""
    assert is_overfull(13, "The rooms.")
    assert not is_overfull(12, "The rooms.")
    assert not is_overfull(13, "The rooms. More than a dozen modules: one for each port.")


def classes(sources: Iterable[tuple[str, ast.Module]]) -> Mapping[str, list[str]]:
    """The modules that define each class, from pairs of a module's name and its syntax tree."""
    homes = defaultdict[str, list[str]](list)
    for module, parsed in sources:
        for node in ast.walk(parsed):
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(module)
    return homes


def test_no_two_classes_have_one_name() -> None:
    """No two classes have the same name."""
    homes = classes((name_of(path), tree(path)) for path in SOURCES)
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}


def test_the_rule_finds_two_classes_of_one_name() -> None:
    """Nested classes count, too."""
    texts = {"a": "class Site: ...", "b": "def f():\n    class Site: ...\nclass Other: ..."}
    homes = classes((module, ast.parse(text)) for module, text in texts.items())
    assert homes == {"Site": ["a", "b"], "Other": ["b"]}


def _imports(path: Path, known: Collection[str]) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in known else node.module for name in names)


@cache
def _importers() -> Mapping[str, set[str]]:
    """The modules that import each module of the product; none for one that nothing imports."""
    paths = {_module(path): path for path in SOURCES}
    importers: dict[str, set[str]] = {module: set() for module in paths}
    for module, path in paths.items():
        for imported in importers.keys() & set(_imports(path, paths)):
            importers[imported].add(module)
    return importers


def _users(floor: str) -> set[str]:
    """The services, `deploy` among them, whose modules import a floor: directly, or through higher floors."""
    importers = _importers()
    seen = {module for module in importers if module == floor or module.startswith(f"{floor}.")}
    left = list(seen)
    while left:
        new = importers[left.pop()] - seen
        seen |= new
        left += new
    outside = (module for module in seen if not module.startswith("shared"))
    return {module.removeprefix("services.").partition(".")[0] for module in outside}


@pytest.mark.parametrize("floor", re.findall(r"^    (\w+)  ", shared.__doc__ or "", re.MULTILINE))
def test_a_floor_serves_two_services(floor: str) -> None:
    """Each floor has two services that use it, or a docstring that names the future one."""
    text = importlib.import_module(f"shared.{floor}").__doc__ or ""
    assert len(_users(f"shared.{floor}")) > 1 or "second service" in text
