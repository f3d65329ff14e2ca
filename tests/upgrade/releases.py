"""Earlier states of this repository, and their source code."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.flow.starter import ROOT

FILE = Path(__file__).with_name("RELEASES")


class NoHistory(Exception):
    """This tree is a shallow clone, or no clone."""


@dataclass(frozen=True, slots=True)
class Release:
    """A commit of this history, and what it is."""

    commit: str
    title: str


@dataclass(frozen=True, slots=True)
class Tree:
    """The source code of a release, and an interpreter that has its packages."""

    folder: Path
    python: str


PRESENT = Tree(ROOT, sys.executable)


def releases() -> tuple[Release, ...]:
    """Those of the file RELEASES, oldest first."""
    lines = FILE.read_text("utf-8").splitlines()
    return tuple(Release(*line.split(maxsplit=1)) for line in lines if line and not line.startswith("#"))


def unpack(release: Release, folder: Path) -> Tree:
    """The release, with its source code in *folder*. Raises NoHistory."""
    command = ("git", "archive", release.commit)
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise NoHistory(archive.stderr.decode())
    folder.mkdir()
    subprocess.run(("tar", "-x"), cwd=folder, input=archive.stdout, check=True)
    return Tree(folder, _python_for(release, folder))


def _pins(folder: Path) -> frozenset[str]:
    """The packages, with their versions, that a tree's lock names."""
    lines = (folder / "requirements.lock").read_text("utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines if "==" in line)


def _python_for(release: Release, folder: Path) -> str:
    """This interpreter, if it has the packages of the release in the same versions; else one of its own."""
    if _pins(folder) <= _pins(ROOT):
        return sys.executable
    venv = ROOT / ".cache" / "upgrade" / release.commit
    subprocess.run(("deploy/local/venv.sh", str(venv), "requirements.lock"), cwd=folder, check=True)
    return str(venv / "bin" / "python")
