"""Copies of this tree as a clone has it."""

import shutil
import subprocess
from pathlib import Path

from tests.flow.starter import ROOT


def files(folder: Path = ROOT) -> list[str]:
    """The files of the tree, by their paths in it; what git ignores is none of them."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if (folder / name).is_file()]


def copy_tree(folder: Path) -> None:
    """Copy the tree into *folder*. Every file is as old as the copy."""
    for name in files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
