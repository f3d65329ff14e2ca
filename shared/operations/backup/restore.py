"""Restore a backup: check everything that can be checked first, then replace the database, then end what may
have ended since."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from shared.operations.backup.make import digest, secret_keys_of
from shared.operations.backup.manifest import (
    DATABASE,
    NAME,
    SECRET_KEYS,
    BadBackup,
    Manifest,
    check_files,
    check_issuer_of_backup,
    check_restored,
    check_secret_keys,
    check_version,
    read_manifest,
)
from shared.operations.backup.sealed_secret import CannotUnseal, fingerprint, unseal
from shared.store.dump import Tools, bring_back, check_archive, contents, emptied, restore, tables
from shared.store.migrate import migrate, migrations


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreTarget:
    """Where a backup returns to: a database at a URL without a pooler.

    `is_replaced`: what the database holds already gives way.
    """

    database_url: str
    issuer: str
    secret_keys: tuple[str, ...]
    is_replaced: bool


async def read_backup(folder: Path) -> Manifest:
    """The manifest of a backup whose files are whole. Raises BadBackup."""
    try:
        manifest = read_manifest((folder / NAME).read_bytes())
        names = [name for name in manifest.files if (folder / name).is_file()]
        digests = {name: await asyncio.to_thread(digest, folder / name) for name in names}
    except OSError as error:
        raise BadBackup(
            f"{folder} is no backup that can be read: {error.filename}: {error.strerror}"
        ) from None
    check_files(manifest, digests)
    return manifest


async def sealed_secret_keys(folder: Path, passphrase: str) -> tuple[str, ...]:
    """The secret keys in a backup. Raises BadBackup."""
    try:
        return await asyncio.to_thread(unseal, (folder / SECRET_KEYS).read_bytes(), passphrase)
    except FileNotFoundError:
        raise BadBackup(
            f"The backup has no {SECRET_KEYS}: it was made without a passphrase, so set OSTIARY_SECRET_KEY"
        ) from None
    except CannotUnseal as fault:
        raise BadBackup(f"{SECRET_KEYS} cannot be opened: {fault}") from None


async def restore_backup(
    folder: Path, manifest: Manifest, target: RestoreTarget, tools: Tools, *, is_compared: bool
) -> list[str]:
    """Bring the backup into the database, bring that to this version, and name the migrations applied.

    The keys must decrypt, or everything is as before; *is_compared*: each table must have its rows, too.
    Raises BadBackup, DumpError, MigrationError, OSError, asyncpg.PostgresError.
    """
    check_secret_keys(manifest, [fingerprint(secret_key) for secret_key in target.secret_keys])
    check_issuer_of_backup(manifest, target.issuer)
    check_version(manifest, {migration.name: migration.checksum for migration in migrations()})
    await check_archive(tools, folder / DATABASE)
    url = target.database_url
    await bring_back(url)
    if await tables(url) and not target.is_replaced:
        raise BadBackup(
            "The database is not empty: give an empty one with OSTIARY_DATABASE_URL, or replace what it holds"
            " with --overwrite. Nothing has been changed"
        )
    async with emptied(url):
        await restore(tools, url, folder / DATABASE)
        restored = await contents(url)
        secret_keys_of(restored.keys, target.secret_keys)
        if is_compared:
            check_restored(manifest, restored.rows, tuple(restored.keys))
        return await migrate(url)
