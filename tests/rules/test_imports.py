"""Who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("authorization", "client_registry", "discovery", "token", "worker")
KNOWS_ALL_SERVICES = ("services/__main__.py", "services/cli")
PURE = (
    "shared/config/env_file.py",
    "shared/config/origin.py",
    "shared/oauth",
    "shared/identity",
    "services/discovery/metadata.py",
    "services/authorization/request/claims_parameter.py",
    "services/authorization/request/id_token_hint.py",
    "services/authorization/request/pushed_request.py",
    "services/authorization/request/authorization_request.py",
    "services/authorization/request/request_object.py",
    "services/authorization/request/response_type.py",
    "services/authorization/request/claims_parameter.py",
    "services/authorization/request/id_token_hint.py",
    "services/authorization/interaction/interaction.py",
    "services/authorization/interaction/next_step.py",
    "services/authorization/logout/logout_request.py",
    "services/authorization/request/request_object.py",
    "services/authorization/request/response_type.py",
    "services/client_registry/registration/metadata.py",
    "shared/web/preconditions.py",
    "services/client_registry/registration/software_statement.py",
)
IMPURE = ("aiohttp", "redis", "asyncpg", "shared.store", "shared.web", "shared.server", "shared.live")
ALLOWED_IN_DEPLOY = (
    "shared.paths",
    "shared.config.settings",
    "shared.config.kinds",
    "shared.config.env_file",
    "shared.process.parent_death",  # what `ostiary run` and `serve --workers` share of their supervision
)
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "common.py", "util.py", "misc.py"}

SOURCES = sorted(
    path
    for folder in ("services", "shared", "deploy", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)}:{node.lineno} imports relatively"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _starts(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith((f"{prefix}.", f"{prefix}/")) for prefix in prefixes)


def violations(name: str, imports: set[str]) -> set[str]:
    """What a module of that path must not import, of what it imports."""
    forbidden = {
        module for module in imports if _starts(module, ("tests",)) and not name.startswith("tests/")
    }
    if name.startswith("shared/"):
        forbidden |= {module for module in imports if _starts(module, ("services", "deploy"))}
        if name != "shared/store/open.py" and not name.startswith("shared/store/"):
            forbidden |= {
                module
                for module in imports
                if _starts(module, ("shared.store.redis", "shared.store.postgres", "asyncpg", "redis"))
            }
    if _starts(name, PURE):
        forbidden |= {module for module in imports if _starts(module, IMPURE)}
    if name.startswith("services/") and not _starts(name, KNOWS_ALL_SERVICES):
        own = f"services.{name.split('/')[1].removesuffix('.py')}"
        others = tuple(f"services.{other}" for other in SERVICES if f"services.{other}" != own)
        forbidden |= {module for module in imports if _starts(module, others)}
        forbidden |= {module for module in imports if _starts(module, ("asyncpg", "redis", "deploy"))}
        forbidden |= {
            module for module in imports if _starts(module, ("shared.store.redis", "shared.store.postgres"))
        }
    if name.startswith("deploy/"):
        forbidden |= {
            module
            for module in imports
            if _starts(module, ("services", "shared"))
            and not _starts(module, ALLOWED_IN_DEPLOY)
            and module not in ("shared",)
        }
    return forbidden


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    """Services meet in the stores alone, rules know no I/O, and nothing ships that imports the tests."""
    assert violations(_name(path), set(_imports(path))) == set()


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
    ],
)
def test_the_rule_itself_finds_what_is_forbidden(name: str, module: str) -> None:
    """A rule that cannot fail is no rule."""
    assert violations(name, {module}) == {module}


def test_no_room_is_named_for_leftovers() -> None:
    """A module is named for what it is."""
    assert [_name(path) for path in SOURCES if path.name in FORBIDDEN_NAMES] == []


def test_the_environment_is_read_in_one_place() -> None:
    """Only the settings read os.environ; the local runner hands it to the processes it starts."""
    readers = {
        _name(path)
        for path in SOURCES
        if not _name(path).startswith(("tests/", "deploy/local/"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert readers <= {"shared/config/settings.py"}
