"""The presets for the start page: a file in the data folder while everything runs."""

import json
import shlex
import sys
from pathlib import Path

from deploy.applications.library import presets
from deploy.local.folders import write_private
from shared.config.settings import Settings


def write_presets(data: Path) -> Path:
    """Write the title, the command and the documentation of each preset. The result is the file."""
    file, program = data / "presets.json", _call(data, Path.cwd())
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


def _call(data: Path, folder: Path) -> str:
    """How to call `ostiary`: as in *folder*, where it was started, such as `.venv/bin/ostiary`.

    The data folder is named if it is not the default one there.
    """
    installed = Path(sys.executable).with_name("ostiary")
    program = installed.relative_to(folder) if installed.is_relative_to(folder) else installed
    is_default = data == folder / Settings().data_dir
    place = "" if is_default else f"OSTIARY_DATA_DIR={shlex.quote(str(data))} "
    return place + shlex.quote(str(program))
