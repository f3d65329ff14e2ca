"""Defects of backups and of their return."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.operations.backup import make, restore
from shared.store import dump
from shared.store.dump import Snapshot, Tools


def takes_any_secret_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of the backup need not be decrypted."""
    monkeypatch.setattr(restore, "check_secret_keys", lambda manifest, fingerprints: None)


def takes_any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a backup are taken as they are."""
    monkeypatch.setattr(restore, "check_files", lambda manifest, digests: None)


def takes_any_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backup of another issuer is restored."""
    monkeypatch.setattr(restore, "check_issuer_of_backup", lambda manifest, issuer: None)


def takes_any_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backup of a later version is restored."""
    monkeypatch.setattr(restore, "check_version", lambda manifest, migrations: None)


def replaces_whatever_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is in use is replaced unasked."""

    async def tables(_: str) -> list[str]:
        return []

    monkeypatch.setattr(restore, "tables", tables)


def loses_what_it_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the database held is gone before the backup is in."""

    @asynccontextmanager
    async def emptied(url: str) -> AsyncIterator[None]:
        async with dump.emptied(url):
            pass
        yield

    monkeypatch.setattr(restore, "emptied", emptied)


def dumps_another_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dump is of a later moment than the manifest."""

    async def dump_now(tools: Tools, url: str, _: Snapshot, file: Path) -> None:
        async with dump.snapshot(url) as later:
            await dump.dump(tools, url, later, file)

    monkeypatch.setattr(make, "dump", dump_now)


def backs_up_what_nobody_can_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup is made whose keys the secret keys at hand do not decrypt."""
    monkeypatch.setattr(make, "secret_keys_of", lambda keys, secret_keys: list(secret_keys))


def forgets_what_was_put_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore that was killed has lost what it had put aside."""

    async def bring_back(_: str) -> None:
        pass

    monkeypatch.setattr(restore, "bring_back", bring_back)
