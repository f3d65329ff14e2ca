"""The tables of applications against the presets, and against what is installed to try them."""

import re
from pathlib import Path

from deploy.applications.library import presets
from deploy.applications.preset import NOT_RUN
from tests.applications.catalogue import APPLICATIONS

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
