"""The applications: where each is installed, by which commands, and in which version."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.applications.registries import DEBIAN, GO, MAVEN, NPM, PATH, PYPI, Argv, Registry

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ostiary" / "applications"


@dataclass(frozen=True, slots=True)
class Application:
    """One application; *name* is that of its preset, its folder and, with underscores, of its module."""

    name: str
    package: str
    registry: Registry
    others: tuple[Registry, ...] = ()  # from which it needs something beside
    component: str = ""  # what of it is run, if not the whole

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
        """What is installed: the text of its locks and sources."""
        patterns = (pattern for each in (self.registry, *self.others) for pattern in each.files)
        files = (file for pattern in patterns for file in sorted(self.folder.glob(pattern)))
        return b"".join(file.read_bytes() for file in files)

    @property
    def commands(self) -> tuple[Argv, ...]:
        """What makes the environment."""
        each = (one.commands(self.folder, self.environment) for one in (self.registry, *self.others))
        return tuple(chain.from_iterable(each))

    @property
    def stamp(self) -> Path:
        """A copy of what the environment was made of; written last."""
        return self.environment / "installed"

    @property
    def is_installed(self) -> bool:
        """Whether the environment was made of these very files."""
        return self.stamp.exists() and self.stamp.read_bytes() == self.pinned

    @property
    def version(self) -> str:
        """That of the package, after the component's name."""
        version = self.registry.version(self.folder, self.environment, self.package)
        return f"{self.component} {version}".lstrip()

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
    """The command that failed, and why."""

    command: str
    error: str


def install(application: Application) -> NotInstalled | None:
    """Makes the environment anew, unless it is there."""
    if application.is_installed:
        return None
    environment = application.environment
    environment.mkdir(parents=True, exist_ok=True)
    application.stamp.unlink(missing_ok=True)
    found_here = {**os.environ, "PATH": PATH}
    for command in application.commands:
        try:
            done = subprocess.run(command, env=found_here, capture_output=True, text=True, check=False)
        except OSError as error:
            return NotInstalled(_shown(command), str(error))
        if done.returncode:
            return NotInstalled(_shown(command), cause_in(done.stdout + done.stderr, done.returncode))
    application.stamp.write_bytes(application.pinned)
    return None


_HOST = re.compile(r"(?<=://)[^/\s]+")


def cause_in(output: str, status: int) -> str:
    """The longest line: what tools print around it announces it or refers elsewhere."""
    line = max(output.splitlines(), key=len, default="").strip()
    return _HOST.sub("…", _without_folders(line)) or f"exit status {status}"


def _shown(command: Argv) -> str:
    return _without_folders(" ".join(command)).replace(sys.executable, "python")


def _without_folders(text: str) -> str:
    """Without the folders of this machine."""
    for folder in (CACHE, HERE):
        text = text.replace(f"{folder}/", "")
    return text


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
        Application("pgadmin", "pgadmin4", PYPI),
        Application("spring-boot", "spring-boot-starter-parent", MAVEN),
        Application("kubernetes", "k8s.io/apiserver", GO, component="k8s.io/apiserver"),
        Application("oauth2-proxy", "github.com/oauth2-proxy/oauth2-proxy/v7", GO),
        Application("lemonldap-ng", "liblemonldap-ng-portal-perl", DEBIAN),
        Application("dovecot", "dovecot-core", DEBIAN),
        Application("oidc-agent", "oidc-agent-cli", DEBIAN),
        Application("gitlab", "ruby-omniauth-openid-connect", DEBIAN, component="omniauth_openid_connect"),
    )
}
