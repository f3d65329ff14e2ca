"""`ostiary backup` and `ostiary restore`."""

import asyncio
import re
import shutil
import subprocess
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import click

from deploy.local.child import RunError
from deploy.local.folders import write_private
from deploy.local.postgres import find_binaries
from services.cli.faults import faults_in_sentences
from services.cli.migrate import direct_url
from services.cli.output import as_json, show
from services.cli.steps import settings_here
from shared.config.settings import Settings
from shared.live import clock
from shared.model import Json
from shared.operations.backup.make import BackupError, BackupSource, make_backup
from shared.operations.backup.manifest import Manifest
from shared.operations.backup.restore import (
    RestoreTarget,
    read_backup,
    restore_backup,
    sealed_secret_keys,
)
from shared.operations.deployment import end_after_restore
from shared.store.dump import Tools, server_major
from shared.store.open import open_stores

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option("--passphrase-file", type=_FILE, help="Include the secret key, sealed with this passphrase.")
@as_json
def backup(folder: Path, passphrase_file: Path | None, is_json: bool) -> None:
    """Back up the database to a new FOLDER, while everything runs.

    Without --passphrase-file the secret key is not part of the backup: keep it apart from it.
    """
    with faults_in_sentences():
        show(asyncio.run(_back_up(settings_here(), folder, _passphrase(passphrase_file))), is_json)


async def _back_up(settings: Settings, folder: Path, passphrase: str | None) -> Json:
    url = direct_url(settings)
    source = BackupSource(database_url=url, secret_keys=settings.secret_keys, version=version("ostiary"))
    manifest = await make_backup(source, _tools(await server_major(url)), folder, passphrase)
    return {
        "folder": str(folder),
        "at": manifest.at.isoformat(),
        "issuer": manifest.issuer,
        "rows": sum(manifest.rows.values()),
        "secret_key_fingerprints": manifest.secret_keys,
        "secret_key_included": passphrase is not None,
    }


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option("--verify", is_flag=True, help="Compare every table with what was backed up.")
@click.option("--overwrite", is_flag=True, help="Replace what the database holds.")
@click.option("--passphrase-file", type=_FILE, help="Open the secret key of the backup with this passphrase.")
@click.option(
    "--write-secret-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the secret key of the backup to this file, for OSTIARY_SECRET_KEY_FILE.",
)
@as_json
def restore(
    folder: Path,
    *,
    verify: bool,
    overwrite: bool,
    passphrase_file: Path | None,
    write_secret_key: Path | None,
    is_json: bool,
) -> None:
    """Restore the backup in FOLDER, and end every session and grant in it.

    Stop every service first, and empty Redis. Everything is checked before anything is changed; a restore
    that fails changes nothing.
    """
    if write_secret_key is not None and passphrase_file is None:
        raise click.UsageError("--write-secret-key needs --passphrase-file.")

    async def step(settings: Settings) -> Json:
        manifest = await read_backup(folder)
        secret_keys = settings.secret_keys
        if passphrase := _passphrase(passphrase_file):
            sealed = await sealed_secret_keys(folder, passphrase)
            secret_keys = (*sealed, *secret_keys)
            if write_secret_key is not None:
                write_private(write_secret_key, ",".join(sealed))
        return await _restore(settings, secret_keys, (folder, manifest), verify, overwrite)

    with faults_in_sentences():
        show(asyncio.run(step(settings_here())), is_json)


async def _restore(
    settings: Settings,
    secret_keys: tuple[str, ...],
    made: tuple[Path, Manifest],
    verify: bool,
    overwrite: bool,
) -> Json:
    folder, manifest = made
    target = RestoreTarget(
        database_url=direct_url(settings),
        issuer=settings.issuer,
        secret_keys=secret_keys,
        is_replaced=overwrite,
    )
    tools = _tools(await server_major(target.database_url))
    applied = await restore_backup(folder, manifest, target, tools, is_compared=verify)
    async with open_stores(settings) as stores:
        ended = await end_after_restore(stores.deployment, manifest.at, clock.now())
    return {
        "at": manifest.at.isoformat(),
        "issuer": manifest.issuer,
        "rows": sum(manifest.rows.values()),
        "migrations": applied,
        **asdict(ended),
        "verified": verify,
    }


def _passphrase(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        passphrase = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"{file} cannot be read: {error}") from None
    if not passphrase:
        raise BackupError(f"{file} is empty: put a passphrase into it")
    return passphrase


def _tools(major: int) -> Tools:
    """The `pg_dump` and `pg_restore` of PATH or of the embedded PostgreSQL that can read the server."""
    for folder in _folders():
        tools = Tools(*(str(folder / name) for name in ("pg_dump", "pg_restore")))
        if _major(tools.pg_dump) >= major:
            return tools
    raise BackupError(
        f"pg_dump and pg_restore of PostgreSQL {major} or later are needed: install its client programs, such"
        f" as the Debian package postgresql-client-{major}"
    )


def _folders() -> list[Path]:
    folders = [Path(path).parent] if (path := shutil.which("pg_dump")) else []
    try:
        return [*folders, find_binaries()]
    except RunError:
        return folders


def _major(pg_dump: str) -> int:
    printed = subprocess.run(  # noqa: S603 - found in PATH or in our own package
        (pg_dump, "--version"), capture_output=True, check=False
    )
    return int(major[1]) if (major := re.search(rb" (\d+)", printed.stdout)) else 0
