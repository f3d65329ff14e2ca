"""The data folder, which is kept, and the folders of a run, which are removed with it."""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.child import RunError

_PREFIX = "ostiary-"
_LOCK = "lock"
_LONGEST_BASE = 40  # sockaddr_un holds 103 bytes on macOS and 107 on Linux


@contextmanager
def data_folder(path: Path) -> Iterator[Path]:
    """The data folder, private if it is new, and locked against a second run.

    Raises RunError if it cannot be written or another run has locked it.
    """
    path = path.resolve()
    try:
        if not path.exists():
            path.mkdir(parents=True, mode=0o700)
        (path / "log").mkdir(exist_ok=True, mode=0o700)
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise RunError(
            f"The data folder {path} cannot be written ({error.strerror}):"
            " make it writable, or set OSTIARY_DATA_DIR to another folder"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise RunError(
            f"Another `ostiary run` uses the data folder {path}:"
            " stop it, or set OSTIARY_DATA_DIR and OSTIARY_ISSUER to run a second one"
        ) from None
    try:
        yield path
    finally:
        os.close(lock)


def is_first_start(data: Path) -> bool:
    """Whether the data folder is still empty."""
    return {path.name for path in data.iterdir()} <= {_LOCK, "log"}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, completely or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def secret_key(path: Path, is_needed: bool) -> str:
    """The key-encryption secret in *path*, created if it is missing.

    Raises RunError if it cannot be read, or is missing although existing data need it (*is_needed*).
    """
    try:
        if not path.exists():
            if is_needed:
                raise RunError(
                    f"{path.parent} holds a database, but not {path.name}, the secret that decrypts its keys:"
                    " restore it, set OSTIARY_SECRET_KEY, or move the folder away to start afresh"
                )
            write_private(path, secrets.token_urlsafe(32) + "\n")
        secret = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"The secret in {path} cannot be read: {error}") from None
    if len(secret) < 32:
        raise RunError(f"The secret in {path} is damaged: restore it from a copy, or move {path.parent} away")
    return secret


@contextmanager
def run_folder(mode: int = 0o700) -> Iterator[Path]:
    """A folder for this run, with a path short enough for sockets. Removes folders of dead runs."""
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base)) > _LONGEST_BASE or " " in str(base):
        base = Path("/tmp")  # noqa: S108 - mkdtemp creates a private folder in it
    _sweep(base)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    folder.chmod(mode)
    new = folder / (_LOCK + ".new")
    lock = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    new.rename(folder / _LOCK)  # from now on, other runs can see whether this one is alive
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(base: Path) -> None:
    for folder in base.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.lstat().st_uid != os.geteuid():
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
