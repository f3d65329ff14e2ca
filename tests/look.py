"""The pages in the look of an operator, for tests."""

from pathlib import Path

from shared.config.environment import read_settings
from shared.config.settings import Settings

LOGO = b"""<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<circle cx="32" cy="32" r="30" fill="#b3261e"/></svg>
"""


def looking(folder: Path) -> Settings:
    """Settings with a name, a logo in *folder*, a colour and links."""
    logo = folder / "logo"
    logo.write_bytes(LOGO)
    return read_settings(
        {
            "OSTIARY_NAME": "Stadtwerke <Musterstadt>",
            "OSTIARY_LOGO_FILE": str(logo),
            "OSTIARY_ACCENT_COLOUR": "#b3261e",
            "OSTIARY_FOOTER_LINKS": "Privacy=https://example.org/privacy?a=1, Help=mailto:help@example.org",
        }
    )
