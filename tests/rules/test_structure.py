"""The structure of the tree: small folders, and unique names of classes."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

import shared

ROOT = Path(__file__).parents[2]
DOZEN = 12
SOURCES = sorted(
    path for folder in ("services", "shared", "deploy") for path in (ROOT / folder).rglob("*.py")
)
FOLDERS = sorted({path.parent for path in SOURCES})


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_shared_has_no_loose_files() -> None:
    """Only the records and the paths are directly in `shared`."""
    loose = {path.name for path in (ROOT / "shared").glob("*.py")}
    assert loose == {"__init__.py", "model.py", "paths.py"}


def is_overfull(modules: int, docstring: str) -> bool:
    """Whether a folder has more than a dozen modules without a reason in its docstring."""
    return modules > DOZEN and "More than a dozen modules: " not in docstring


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_a_folder_of_more_than_a_dozen_modules_says_why(folder: Path) -> None:
    """A folder with more than a dozen modules has a reason in its docstring."""
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    package = folder / "__init__.py"
    docstring = ast.get_docstring(ast.parse(package.read_text("utf-8"))) or "" if package.exists() else ""
    assert not is_overfull(len(modules), docstring)


def test_the_rule_finds_an_overfull_folder() -> None:
    """The rule finds planted violations."""
    assert is_overfull(13, "The rooms.")
    assert not is_overfull(12, "The rooms.")
    assert not is_overfull(13, "The rooms. More than a dozen modules: one for each port.")


def classes(sources: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """The modules that define each class, from pairs of a module's name and its text."""
    homes = defaultdict[str, list[str]](list)
    for module, text in sources:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(module)
    return homes


def test_no_two_classes_have_one_name() -> None:
    """No two classes have the same name."""
    homes = classes((_name(path), path.read_text("utf-8")) for path in SOURCES)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def test_the_rule_finds_two_classes_of_one_name() -> None:
    """Nested classes count, too."""
    homes = classes([("a", "class Site: ..."), ("b", "def f():\n    class Site: ...\nclass Other: ...")])
    assert homes == {"Site": ["a", "b"], "Other": ["b"]}


def _imports(path: Path, modules: Iterable[str]) -> Iterator[str]:
    known = frozenset(modules)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in known else node.module for name in names)


def _users(floor: str) -> set[str]:
    """The services, `deploy` among them, whose modules import a floor: directly, or through higher floors."""
    paths = {_module(path): path for path in SOURCES}
    importers = defaultdict[str, set[str]](set)
    for module, path in paths.items():
        for imported in _imports(path, paths):
            importers[imported].add(module)
    seen = {module for module in paths if module == floor or module.startswith(f"{floor}.")}
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
    docstring = importlib.import_module(f"shared.{floor}").__doc__ or ""
    assert len(_users(f"shared.{floor}")) > 1 or "second service" in docstring
