"""The registries that applications come from: what an environment is made of, and by which commands."""

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.tools import ELSEWHERE

Argv = tuple[str, ...]

PATH = f"{os.environ['PATH']}:{ELSEWHERE}"
SUITE = "bookworm"


@dataclass(frozen=True, slots=True)
class Registry:
    """How a package of one kind is installed, from a folder of files into an environment.

    `files`: patterns of what the environment is made of. `version`: that of the package, as far as it is
    known; the arguments are the folder, the environment and the package.
    """

    files: tuple[str, ...]
    commands: Callable[[Path, Path], tuple[Argv, ...]]
    version: Callable[[Path, Path, str], str]
    is_pinned: bool = True  # whether the files alone say which version it is


def _pip(folder: Path, environment: Path) -> tuple[Argv, ...]:
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    return (
        (sys.executable, "-m", "venv", "--clear", str(environment)),
        (str(environment / "bin" / "python"), *install, "-r", str(folder / "requirements.txt")),
    )


def _pinned(folder: Path, _: Path, package: str) -> str:
    lock = (folder / "requirements.txt").read_text("utf-8")
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock, re.MULTILINE)
    assert found, package
    return found[1]


PYPI = Registry(("requirements.txt",), _pip, _pinned)


def _npm(folder: Path, environment: Path) -> tuple[Argv, ...]:
    files = tuple(str(folder / name) for name in ("package.json", "package-lock.json", ".npmrc"))
    return (
        ("cp", *files, str(environment)),
        ("npm", "--prefix", str(environment), "ci", "--no-audit", "--no-fund", "--loglevel=error"),
    )


def _locked(folder: Path, _: Path, package: str) -> str:
    lock = json.loads((folder / "package-lock.json").read_text("utf-8"))
    version: str = lock["packages"][f"node_modules/{package}"]["version"]
    return version


NPM = Registry(("package-lock.json",), _npm, _locked)


def _go(folder: Path, environment: Path) -> tuple[Argv, ...]:
    """Builds the tools of the module, which may be one of its own."""
    return (("env", f"GOBIN={environment / 'bin'}", "go", "-C", str(folder), "install", "-trimpath", "tool"),)


def _required(folder: Path, _: Path, package: str) -> str:
    module = (folder / "go.mod").read_text("utf-8")
    found = re.search(rf"\b{re.escape(package)} v(\S+)", module)
    assert found, package
    return found[1]


GO = Registry(("go.mod", "go.sum", "*.go"), _go, _required)


def _maven(folder: Path, environment: Path) -> tuple[Argv, ...]:
    """Compiles what lies in the folder, beside the libraries."""
    goals = ("dependency:copy-dependencies", "compiler:compile")
    return (("mvn", "-q", "-B", "-f", str(folder / "pom.xml"), f"-Denvironment={environment}", *goals),)


def _parents(folder: Path, _: Path, package: str) -> str:
    parent = ElementTree.parse(folder / "pom.xml").find("parent")
    assert parent is not None
    assert parent.findtext("artifactId") == package
    return parent.findtext("version") or ""


MAVEN = Registry(("pom.xml", "*.java"), _maven, _parents)


def _debian(folder: Path, environment: Path) -> tuple[Argv, ...]:
    """A Debian of its own, as a folder: the packages neither serve nor change anything on this machine."""
    packages = ",".join((folder / "packages.txt").read_text("utf-8").split())
    root = str(environment / "root")
    quiet = ("--quiet", "--variant=apt", "--aptopt=Acquire::Languages none")
    return (
        ("apt-get", "-qq", "install", "--no-install-recommends", "mmdebstrap", "bubblewrap"),
        ("rm", "-rf", root),
        ("mmdebstrap", *quiet, f"--include={packages}", SUITE, root),
    )


def _unpacked(_: Path, environment: Path, package: str) -> str:
    """That of the archive, which pins nothing: security updates replace what they fix."""
    status = environment / "root" / "var" / "lib" / "dpkg" / "status"
    if not status.exists():
        return SUITE
    found = re.search(rf"^Package: {re.escape(package)}\n(?:.+\n)*?Version: (\S+)", status.read_text(), re.M)
    return found[1] if found else SUITE


DEBIAN = Registry(("packages.txt",), _debian, _unpacked, is_pinned=False)
