"""What a backup says of itself: `manifest.json`. *Pure.*"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from shared.codec.json_text import BadJson, parse_object
from shared.model import Json
from shared.process.operator_error import OperatorError

NAME = "manifest.json"
DATABASE = "database.dump"
SECRET_KEYS = "secret_key.sealed"

_FORMAT = 1


class BadBackup(OperatorError):
    """The backup cannot be used; says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A backup.

    `at`: the moment that the dump shows. `secret_keys`: the fingerprints of the secret keys that decrypt its
    keys. `migrations`: the checksum of each by its name. `rows`: the number in each table. `files`: the
    SHA-256 of each other file of the folder, as hexadecimal digits.
    """

    at: datetime
    version: str
    issuer: str | None
    secret_keys: tuple[str, ...]
    kids: tuple[str, ...]
    migrations: Mapping[str, str]
    rows: Mapping[str, int]
    files: Mapping[str, str]

    def members(self) -> Json:
        """For a JSON file."""
        return {"format": _FORMAT, **asdict(self), "at": self.at.isoformat()}


def read_manifest(text: bytes) -> Manifest:
    """The manifest in *text*. Raises BadBackup."""
    try:
        members = parse_object(text)
        if members.pop("format") != _FORMAT:
            raise BadBackup("The backup was made by a newer version of Ostiary: restore it with that one")
        return Manifest(**_typed(members))
    except (BadJson, KeyError, TypeError, ValueError):
        raise BadBackup(f"{NAME} is damaged: use another backup") from None


def _typed(members: Json) -> dict[str, Any]:
    return {
        **members,
        "at": datetime.fromisoformat(members["at"]),
        "secret_keys": tuple(members["secret_keys"]),
        "kids": tuple(members["kids"]),
    }


def check_files(manifest: Manifest, digests: Mapping[str, str]) -> None:
    """Compare the files that are there with those that were made. Raises BadBackup."""
    for name, digest in manifest.files.items():
        if name not in digests:
            raise BadBackup(f"The backup lacks {name}: copy the whole folder")
        if digests[name] != digest:
            raise BadBackup(f"{name} is not the file that was made for this backup: use another backup")


def check_secret_keys(manifest: Manifest, fingerprints: Sequence[str]) -> None:
    """Whether the secret keys at hand decrypt the keys of the backup. Raises BadBackup."""
    if absent := [needed for needed in manifest.secret_keys if needed not in fingerprints]:
        raise BadBackup(
            f"The backup was made with another secret key, whose fingerprint is {absent[0]}: set"
            " OSTIARY_SECRET_KEY or OSTIARY_SECRET_KEY_FILE to that one, or give the passphrase of its"
            f" {SECRET_KEYS} with --passphrase-file. Nothing has been changed"
        )


def check_issuer_of_backup(manifest: Manifest, issuer: str) -> None:
    """Raises BadBackup."""
    if manifest.issuer not in (None, issuer):
        raise BadBackup(
            f"The backup belongs to the issuer {manifest.issuer}, but OSTIARY_ISSUER is {issuer}: set"
            f" OSTIARY_ISSUER to {manifest.issuer}. To move, restore first, then run `ostiary issuer set URL`"
        )


def check_version(manifest: Manifest, migrations: Mapping[str, str]) -> None:
    """Whether this version, which has *migrations*, can read what the backup holds. Raises BadBackup."""
    if any(migrations.get(name) != checksum for name, checksum in manifest.migrations.items()):
        raise BadBackup(
            f"The backup was made by Ostiary {manifest.version}, whose migrations this version does not"
            " have: restore it with that version or a later one"
        )


def check_restored(manifest: Manifest, rows: Mapping[str, int], kids: Sequence[str]) -> None:
    """Compare what is in the database with what was in it. Raises BadBackup."""
    if (dict(rows), tuple(kids)) != (dict(manifest.rows), manifest.kids):
        different = [table for table in manifest.rows if rows.get(table) != manifest.rows[table]] or ["keys"]
        raise BadBackup(
            f"What was restored differs from what was backed up in {', '.join(different)}: use another backup"
        )
