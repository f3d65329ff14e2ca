"""The presets for the start page: a file in the data folder while everything runs."""

import json
import shlex
import sys
from pathlib import Path

from deploy.applications.library import presets
from deploy.local.folders import write_private


def write_presets(data: Path) -> Path:
    """Write the title, the command and the documentation of each preset. The result is the file."""
    file, program = data / "presets.json", shlex.quote(_program(Path.cwd()))
    listed = [
        {
            "title": preset.title,
            "command": f"{program} client add --for {preset.name}"
            + (" --url https://app.example.org" if preset.needs_url else ""),
            "documentation": preset.documentation[0],
        }
        for preset in sorted(presets().values(), key=lambda preset: preset.title.casefold())
    ]
    write_private(file, json.dumps(listed))
    return file


def _program(folder: Path) -> str:
    """How to call `ostiary` in the folder where it was started, such as `.venv/bin/ostiary`."""
    installed = Path(sys.executable).with_name("ostiary")
    return str(installed.relative_to(folder) if installed.is_relative_to(folder) else installed)
