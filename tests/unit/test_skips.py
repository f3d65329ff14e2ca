"""The rule that no test is skipped unnoticed, on a test file of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFTEST = "from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401\n"
LACKS_A_TOOL = """
from pathlib import Path
from tests.tools import needs
def test_it():
    needs("browser", Path("/no/such/file"))
"""
LACKS_AN_EXCUSE = "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): pass\n"
SKIPS_WHOLE = "import pytest\npytest.skip('later', allow_module_level=True)\n"


def _outcome(folder: Path, source: str, environment: dict[str, str]) -> str:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(source)
    clean = {name: value for name, value in os.environ.items() if name not in ("CI", "OSTIARY_REQUIRE")}
    options = ("--disable-plugin-autoload", "-p", "no:cacheprovider", "-c", os.devnull)
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", *options, str(folder)),
        env=clean | environment | {"PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return "skipped" if done.returncode in (0, 5) and "1 skipped" in done.stdout else "failed"


@pytest.mark.parametrize(
    ("source", "environment", "outcome"),
    [
        (LACKS_A_TOOL, {}, "skipped"),
        (LACKS_A_TOOL, {"CI": "true"}, "skipped"),
        (LACKS_A_TOOL, {"OSTIARY_REQUIRE": "nginx"}, "skipped"),
        (LACKS_A_TOOL, {"OSTIARY_REQUIRE": "nginx,browser"}, "failed"),
        (LACKS_AN_EXCUSE, {}, "skipped"),
        (LACKS_AN_EXCUSE, {"CI": "true"}, "failed"),
        (LACKS_AN_EXCUSE, {"OSTIARY_REQUIRE": "nginx"}, "failed"),
        (SKIPS_WHOLE, {}, "skipped"),
        (SKIPS_WHOLE, {"CI": "true"}, "failed"),
    ],
)
def test_a_skip_needs_a_tool_for_its_excuse(
    tmp_path: Path, source: str, environment: dict[str, str], outcome: str
) -> None:
    """With CI or OSTIARY_REQUIRE, skips without a missing tool fail, and so do missing required tools."""
    assert _outcome(tmp_path, source, environment) == outcome
