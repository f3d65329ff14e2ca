"""Make a backup: a snapshot, its dump, and last the manifest, without which a folder is no backup."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from shared.codec.wrapping import CannotUnwrap, unwrap
from shared.model import Json
from shared.operations.backup.manifest import DATABASE, NAME, SECRET_KEYS, Manifest
from shared.operations.backup.sealed_secret import NONCE_BYTES, SALT_BYTES, fingerprint, seal
from shared.process.operator_error import OperatorError
from shared.store.dump import Snapshot, Tools, dump, snapshot


class BackupError(OperatorError):
    """The backup cannot be made; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSource:
    """A deployment: its database at a URL without a pooler, and its secret keys."""

    database_url: str
    secret_keys: Sequence[str]
    version: str


async def make_backup(source: BackupSource, tools: Tools, folder: Path, passphrase: str | None) -> Manifest:
    """Back up to *folder*, which is made, and is removed by nobody if this fails half-way.

    With a *passphrase* the secret keys are in it, sealed. Raises BackupError, CannotUnwrap, DumpError,
    OSError, asyncpg.PostgresError.
    """
    make_private_folder(folder)
    async with snapshot(source.database_url) as moment:
        needed = secret_keys_of(moment.contents.keys, source.secret_keys)
        _create_private(folder / DATABASE, b"")
        await dump(tools, source.database_url, moment, folder / DATABASE)
    names = [DATABASE]
    if passphrase is not None:
        salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
        sealed = await asyncio.to_thread(seal, needed, passphrase, salt, nonce)
        _create_private(folder / SECRET_KEYS, _json(sealed))
        names.append(SECRET_KEYS)
    files = {name: await asyncio.to_thread(digest, folder / name) for name in names}
    manifest = _manifest(source, moment, needed, files)
    _create_private(folder / NAME, _json(manifest.members()))
    return manifest


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter. Raises BackupError when there is something already."""
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        is_empty = next(folder.iterdir(), None) is None
    except OSError as error:
        raise BackupError(f"The folder {folder} cannot be made: {error.strerror}") from None
    if not is_empty:
        raise BackupError(f"The folder {folder} is not empty: name another one for each backup")


def secret_keys_of(keys: Mapping[str, bytes], secret_keys: Sequence[str]) -> list[str]:
    """Those of *secret_keys* that decrypt *keys*, encrypted ones by their kid. Raises CannotUnwrap."""
    needed = set()
    for kid, private in keys.items():
        if private:
            needed.add(_secret_key_of(kid, private, secret_keys))
    return [secret_key for secret_key in secret_keys if secret_key in needed]


def _secret_key_of(kid: str, private: bytes, secret_keys: Sequence[str]) -> str:
    for secret_key in secret_keys:
        try:
            unwrap([secret_key], kid, private)
        except CannotUnwrap:
            continue
        return secret_key
    raise CannotUnwrap(kid)


def _manifest(
    source: BackupSource, moment: Snapshot, needed: Sequence[str], files: Mapping[str, str]
) -> Manifest:
    return Manifest(
        at=moment.contents.at,
        version=source.version,
        issuer=moment.contents.issuer,
        secret_keys=tuple(map(fingerprint, needed)),
        kids=tuple(moment.contents.keys),
        migrations=moment.contents.migrations,
        rows=moment.contents.rows,
        files=files,
    )


def digest(file: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits. Raises OSError."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _json(members: Json) -> bytes:
    return orjson.dumps(members, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _create_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, and see it on the disk."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
