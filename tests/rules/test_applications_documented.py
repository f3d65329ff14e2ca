"""The tables of applications against the presets, and against what is installed to try them."""

import re
from pathlib import Path

import pytest

from deploy.applications.library import presets
from deploy.applications.preset import NOT_RUN
from tests.applications.__main__ import verdict_of
from tests.applications.catalogue import APPLICATIONS, cause_in

README = Path(__file__).parents[2] / "README.md"
VERDICTS = Path(__file__).parents[1] / "applications" / "README.md"


def test_the_table_has_every_preset() -> None:
    """Each preset has a row, with its links and its test."""
    rows = [
        f"| `{preset.name}` | {preset.title}"
        f" | {' '.join(f'[{number}]({link})' for number, link in enumerate(preset.documentation, 1))}"
        f" | {preset.tested} |"
        for preset in presets().values()
    ]
    table = README.read_text("utf-8").partition("\n## Your application\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `\w.*$", table, re.MULTILINE) == rows


def test_a_preset_tells_what_was_run() -> None:
    """The version that is installed, and the day, of those and only those applications that signed in."""
    row = r"^\| `([\w-]+)` \| ([^|]+) \| signs in, (\S+) \|$"
    ran = re.findall(row, VERDICTS.read_text("utf-8"), re.MULTILINE)
    assert ran
    pinned = {name: version for name, version, _ in ran if APPLICATIONS[name].registry.is_pinned}
    assert pinned == {name: APPLICATIONS[name].version for name in pinned}
    tested = {name: preset.tested for name, preset in presets().items() if preset.tested != NOT_RUN}
    assert tested == {name: f"{version}, {day}" for name, version, day in ran}


@pytest.mark.parametrize(
    ("status", "output", "verdict"),
    [
        (0, "..\n2 passed in 3s\n", "signs in, 2026-11-29"),
        (
            0,
            ".s\nSKIPPED [1] tests/tools.py:57: lacks a browser\n1 passed, 1 skipped\n",
            "not run: lacks a browser",
        ),
        (1, "F\nFAILED tests/a.py::test_a - assert 1\n", "fails, 2026-11-29: test_a - assert 1"),
        (4, "", "fails, 2026-11-29: no test ran"),
    ],
)
def test_a_verdict_tells_what_was_proved(status: int, output: str, verdict: str) -> None:
    """An application whose test was skipped has not signed in."""
    assert verdict_of(status, output, "2026-11-29") == verdict


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("go: module lookup disabled by GOPROXY=off\n", "go: module lookup disabled by GOPROXY=off"),
        (
            "npm error 403 Forbidden - GET https://npm.example/wrappy-1.0.2.tgz\nnpm error A log: /log\n",
            "npm error 403 Forbidden - GET https://…/wrappy-1.0.2.tgz",
        ),
        ("", "exit status 3"),
    ],
)
def test_an_installation_that_fails_tells_why(output: str, cause: str) -> None:
    """Not the line that only refers to a log, and without the host of a mirror."""
    assert cause_in(output, 3) == cause
