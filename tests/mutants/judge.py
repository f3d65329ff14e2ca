"""Whether tests notice a mutation of a module, in a process that is forked from a warm one."""

import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

SECONDS = 120  # after which a mutant that does not end is killed

_OURS = ("shared", "services", "tests")
_UNIT = Path(__file__).parents[1] / "unit"
_OPTIONS = (
    *("-q", "-x", "--assert=plain", "--import-mode=importlib", f"--rootdir={_UNIT.parents[1]}"),
    *("--disable-plugin-autoload", "-p", "no:cacheprovider", "-c", os.devnull),
    *("-p", "pytest_asyncio.plugin", "-o", "asyncio_mode=auto"),
    *("-o", "asyncio_default_fixture_loop_scope=module", "-o", "asyncio_default_test_loop_scope=module"),
    *("-p", "no:tests.planted.plugin"),
)


def prepare(folder: Path) -> None:
    """Write nothing into the tree, and use the same examples each time."""
    sys.pycache_prefix = str(folder)
    set_hypothesis_home_dir(folder)
    hypothesis.settings.register_profile("mutants", database=None, deadline=None, derandomize=True)
    hypothesis.settings.load_profile("mutants")


def is_killed(module: str, source: str, tests: Sequence[Path]) -> bool:
    """Whether one of *tests* fails with *source* in place of the module. Without a change, none may."""
    child = os.fork()
    if child == 0:
        _end_with(lambda: _tried(module, source, tests))
    return os.waitpid(child, 0)[1] != 0


def _tried(module: str, source: str, tests: Sequence[Path]) -> int:
    for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[name]
    spec = importlib.util.find_spec(module)
    assert spec
    assert spec.origin
    loaded = sys.modules[module] = importlib.util.module_from_spec(spec)
    exec(compile(source, spec.origin, "exec"), vars(loaded))
    package, _, name = module.rpartition(".")
    setattr(importlib.import_module(package), name, loaded)
    needs_fixtures = any(not test.is_relative_to(_UNIT) for test in tests)
    options = _OPTIONS if needs_fixtures else (*_OPTIONS, "--noconftest")
    return pytest.main([*options, *map(str, tests)])


def _end_with(status: Callable[[], int]) -> NoReturn:
    """Exit silently with that status, or with 1 if there is none."""
    signal.alarm(SECONDS)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    try:
        os._exit(status())
    finally:
        os._exit(1)
