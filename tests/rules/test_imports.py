"""Imports: services know only `shared`, and `shared` is built on floors."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import shared
from tests.rules.sources import ROOT, docstring, modules, name_of, tree

SERVICES = tuple(f"services.{path.parent.name}" for path in sorted((ROOT / "services").glob("*/app.py")))
KNOWS_ALL_SERVICES = ("services/__main__.py", "services/cli")
STEPS = "services/authorization/steps/"  # one page each; the next one is decided outside
FLOORS = tuple(re.findall(r"^    (\w+)  ", shared.__doc__ or "", re.MULTILINE))
"""From the bottom, as the docstring of `shared` has them."""
BELOW_IO = FLOORS[: FLOORS.index("store")]
KNOWN_TO_DEPLOY = tuple(f"shared.{floor}" for floor in FLOORS[: FLOORS.index("config") + 1])
IO = ("aiohttp", "redis", "asyncpg")
IMPURE = (*IO, "shared.store", "shared.fetch", "shared.live", "shared.web", "shared.server")
STORES = ("shared.store.redis", "shared.store.postgres", "redis", "asyncpg")
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "common.py", "util.py", "misc.py"}

SOURCES = modules("services", "shared", "deploy", "tests")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno} imports relatively"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _starts(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith((f"{prefix}.", f"{prefix}/")) for prefix in prefixes)


def _is_pure(path: Path) -> bool:
    """Whether the docstring of a module or of its package says *Pure*."""
    packages = (folder / "__init__.py" for folder in path.parents if folder.is_relative_to(ROOT))
    return any(re.search(r"\bPure\b", docstring(text)) for text in (path, *packages))


def _forbidden(name: str, is_pure: bool) -> tuple[str, ...]:
    """The packages that a module of that path must not import."""
    folder, _, rest = name.partition("/")
    forbidden: tuple[str, ...] = () if folder == "tests" else ("tests",)
    if is_pure:
        forbidden += IMPURE
    match folder:
        case "shared" if rest != "__init__.py":
            floor = rest.partition("/")[0].removesuffix(".py")
            forbidden += ("services", "deploy")
            forbidden += tuple(f"shared.{above}" for above in FLOORS[FLOORS.index(floor) + 1 :])
            forbidden += IO if floor in BELOW_IO else ()
            forbidden += STORES if floor != "store" else ()
        case "services" if not _starts(name, KNOWS_ALL_SERVICES):
            own = f"services.{rest.partition('/')[0]}"
            forbidden += (*(other for other in SERVICES if other != own), "services.cli", "deploy", *STORES)
            if name.startswith(STEPS):
                forbidden += (STEPS.replace("/", ".").removesuffix("."),)
        case "deploy":
            forbidden += ("services",)
    return forbidden


def violations(name: str, imports: set[str], is_pure: bool = False) -> set[str]:
    """The imports of a module that are forbidden for its path."""
    forbidden = {module for module in imports if _starts(module, _forbidden(name, is_pure))}
    if name.startswith("deploy/"):
        of_shared = {module for module in imports if _starts(module, ("shared",))}
        forbidden |= {module for module in of_shared - {"shared"} if not _starts(module, KNOWN_TO_DEPLOY)}
    return forbidden


def test_a_module_imports_only_what_its_room_may() -> None:
    """Services import no other service, `shared` imports downwards, and pure rules import no I/O."""
    assert SOURCES
    wrong = {
        name_of(path): violations(name_of(path), set(_imports(path)), _is_pure(path)) for path in SOURCES
    }
    assert {name: imports for name, imports in wrong.items() if imports} == {}


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("services/token/endpoints/token.py", "services.authorization.app"),
        ("services/token/endpoints/token.py", "shared.store.redis.codes"),
        ("shared/oauth/pkce.py", "aiohttp"),
        ("shared/issuing/tokens.py", "services.token"),
        ("shared/server/app.py", "asyncpg"),
        ("deploy/local/run.py", "shared.store.open"),
        ("services/cli/user.py", "tests.builders"),
        ("services/worker/app.py", "services.cli"),
        ("services/authorization/steps/sign_up.py", "services.authorization.steps.login"),
        ("shared/codec/json_text.py", "shared.oauth.errors"),
        ("shared/web/form.py", "shared.server.app"),
        ("shared/model.py", "shared.paths"),
    ],
)
def test_the_rule_itself_finds_what_is_forbidden(name: str, module: str) -> None:
    """The rule finds planted violations."""
    assert violations(name, {module}) == {module}


def test_a_pure_module_knows_no_io() -> None:
    """A pure module is found at any place, by its own docstring or by that of its package."""
    assert violations("services/x/rule.py", {"shared.live.clock"}, is_pure=True) == {"shared.live.clock"}
    assert _is_pure(ROOT / "shared/web/preconditions.py")
    assert _is_pure(ROOT / "shared/oauth/pkce.py")
    assert not _is_pure(ROOT / "shared/server/app.py")


def test_every_room_of_shared_is_a_floor() -> None:
    """The packages are exactly the floors that the docstring describes."""
    rooms = {path.relative_to(ROOT / "shared").parts[0] for path in (ROOT / "shared").rglob("*.py")}
    assert {room.removesuffix(".py") for room in rooms} == {"__init__", *FLOORS}


def test_no_room_is_named_for_leftovers() -> None:
    """No module has a name such as `utils`."""
    assert [name_of(path) for path in SOURCES if path.name in FORBIDDEN_NAMES] == []


def test_the_environment_is_read_in_one_place() -> None:
    """Only the settings read os.environ, and systemd's own variables where it is notified; libpq's are
    removed in one place, and the local runner passes the rest to its processes."""
    readers = {
        name_of(path)
        for path in SOURCES
        if not name_of(path).startswith(("tests/", "deploy/local/"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert readers <= {
        "shared/config/environment.py",
        "shared/config/libpq_environment.py",
        "shared/server/notify.py",
    }
