"""The applications: where each is installed, by which commands, and in which version."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ostiary" / "applications"

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registry:
    """How a package of one kind is installed: by which commands, from which file, and in which version."""

    lock: str
    commands: Callable[[Path, Path], tuple[Argv, ...]]  # of the folder with the lock, and the environment
    version: Callable[[str, str], str]  # of the lock's text, and the package


def _pip(folder: Path, environment: Path) -> tuple[Argv, ...]:
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    return (
        (sys.executable, "-m", "venv", "--clear", str(environment)),
        (str(environment / "bin" / "python"), *install, "-r", str(folder / PYPI.lock)),
    )


def _npm(folder: Path, environment: Path) -> tuple[Argv, ...]:
    files = tuple(str(folder / name) for name in ("package.json", "package-lock.json", ".npmrc"))
    return (
        ("cp", *files, str(environment)),
        ("npm", "--prefix", str(environment), "ci", "--no-audit", "--no-fund", "--loglevel=error"),
    )


def _pinned(lock: str, package: str) -> str:
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock, re.MULTILINE)
    assert found, package
    return found[1]


def _locked(lock: str, package: str) -> str:
    version: str = json.loads(lock)["packages"][f"node_modules/{package}"]["version"]
    return version


PYPI = Registry("requirements.txt", _pip, _pinned)
NPM = Registry("package-lock.json", _npm, _locked)


@dataclass(frozen=True, slots=True)
class Application:
    """One application; *name* is that of its preset, its folder and, with underscores, of its module."""

    name: str
    package: str
    registry: Registry
    others: tuple[Registry, ...] = ()  # from which it needs something beside

    @property
    def folder(self) -> Path:
        """What its environment is made of, and the files of the test."""
        return HERE / self.name

    @property
    def environment(self) -> Path:
        """Where it is installed."""
        return CACHE / self.name

    @property
    def pinned(self) -> bytes:
        """What is installed: the text of its locks."""
        return b"".join((self.folder / each.lock).read_bytes() for each in (self.registry, *self.others))

    @property
    def commands(self) -> tuple[Argv, ...]:
        """What makes the environment."""
        each = (one.commands(self.folder, self.environment) for one in (self.registry, *self.others))
        return tuple(chain.from_iterable(each))

    @property
    def stamp(self) -> Path:
        """A copy of the locks by which the environment was made; written last."""
        return self.environment / "installed"

    @property
    def is_installed(self) -> bool:
        """Whether the environment was made by these very locks."""
        return self.stamp.exists() and self.stamp.read_bytes() == self.pinned

    @property
    def version(self) -> str:
        """That of the package in the lock."""
        return self.registry.version((self.folder / self.registry.lock).read_text("utf-8"), self.package)

    @property
    def is_quick(self) -> bool:
        """Whether it runs with every other test."""
        return self.module.name.startswith("test_")

    @property
    def module(self) -> Path:
        """The test that drives it."""
        name = self.name.replace("-", "_")
        quick = HERE / f"test_{name}.py"
        return quick if quick.exists() else HERE / f"{name}.py"


@dataclass(frozen=True, slots=True)
class NotInstalled:
    """The command that failed, and the last of what it said."""

    command: str
    error: str


def install(application: Application) -> NotInstalled | None:
    """Makes the environment anew, unless it is there."""
    if application.is_installed:
        return None
    environment = application.environment
    environment.mkdir(parents=True, exist_ok=True)
    application.stamp.unlink(missing_ok=True)
    for command in application.commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return NotInstalled(_shown(command), str(error))
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            return NotInstalled(_shown(command), said[-1] if said else f"exit status {done.returncode}")
    application.stamp.write_bytes(application.pinned)
    return None


def _shown(command: Argv) -> str:
    return " ".join(Path(word).name if word.startswith("/") else word for word in command)


APPLICATIONS: Mapping[str, Application] = {
    application.name: application
    for application in (
        Application("mozilla-django-oidc", "mozilla-django-oidc", PYPI),
        Application("django-allauth", "django-allauth", PYPI),
        Application("social-auth-django", "social-auth-app-django", PYPI),
        Application("flask-appbuilder", "flask-appbuilder", PYPI),
        Application("matrix-synapse", "matrix-synapse", PYPI),
        Application("jupyterhub", "jupyterhub", PYPI, (NPM,)),
        Application("express-openid-connect", "express-openid-connect", NPM),
        Application("passport", "openid-client", NPM),
        Application("authjs", "@auth/express", NPM),
        Application("oidc-client-ts", "oidc-client-ts", NPM),
    )
}
