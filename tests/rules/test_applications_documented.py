"""The table of applications in README.md against the presets."""

import re
from pathlib import Path

from deploy.applications.library import presets

README = Path(__file__).parents[2] / "README.md"


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
