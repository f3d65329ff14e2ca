"""The account under which root starts PostgreSQL, which refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from deploy.local.child import Account, RunError, dropped_to


def account_for(cluster: Path) -> Account | None:
    """The account that owns *cluster*, or may own a new one, if this process is root; otherwise None."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise RunError(
        "PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody`:"
        " run this command as an ordinary user"
    )


def runnable(binaries: Path, account: Account | None, copies: Path) -> Path:
    """*binaries*, or a copy of them below *copies* if *account* cannot run the original."""
    if account is None or _runs(binaries, account):
        return binaries
    package = binaries.parents[1]
    libraries = package.with_name(package.name + ".libs")  # the binaries expect it beside their package
    for folder in (binaries.parent, libraries):
        if folder.is_dir():
            target = copies / folder.relative_to(package.parent)
            shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in copies.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755)
    copied = copies / binaries.relative_to(package.parent)
    if not _runs(copied, account):
        raise RunError(f"The account {account.uid} cannot run PostgreSQL from {copies}: allow programs there")
    return copied


def _runs(binaries: Path, account: Account) -> bool:
    argv = (str(binaries / "initdb"), "--version")
    try:
        done = subprocess.run(argv, cwd="/", capture_output=True, check=False, **dropped_to(account))
    except PermissionError:
        return False
    return done.returncode == 0
