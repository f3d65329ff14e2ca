"""The settings' table in deploy/README.md against the settings."""

import re
from pathlib import Path

from shared.config.environment import FILES
from shared.config.settings import NAME_PREFIX, Settings

README = Path(__file__).parents[2] / "deploy" / "README.md"


def test_every_setting_is_documented_and_nothing_else() -> None:
    """A row for each setting, and no row for a setting that is gone."""
    rows = set(re.findall(r"^\| `(OSTIARY_[A-Z_]+)`", README.read_text("utf-8"), re.MULTILINE))
    names = {NAME_PREFIX + name.upper() for name in Settings.model_fields} | FILES
    assert rows == names
