"""`ostiary backup` and `ostiary restore`: restored data, refused backups, and failures."""

import asyncio
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shared.operations.backup import make
from shared.store import dump
from tests.deployment import open_world, settings_for
from tests.flow.command_line import Ostiary, of
from tests.planted import planted
from tests.planted.backup import (
    backs_up_what_nobody_can_open,
    dumps_another_moment,
    forgets_what_was_put_aside,
    loses_what_it_replaces,
    replaces_whatever_is_there,
    takes_any_file,
    takes_any_issuer,
    takes_any_secret_key,
    takes_any_version,
)
from tests.planted.deployment import lets_a_backup_live_on

OTHER_SECRET_KEY = "t" * 32
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the backup."""
    return tmp_path / "backup"


@pytest.fixture
def elsewhere(empty_database_url: str) -> dict[str, str]:
    """The environment of a command over another, empty database."""
    return {"OSTIARY_DATABASE_URL": empty_database_url}


@pytest.fixture
def in_use(ostiary: Ostiary, database_url: str, redis_url: str) -> Ostiary:
    """A deployment with a user who is signed in, a client and keys."""
    asyncio.run(_sign_in(database_url, redis_url))
    assert ostiary("user", "add", "ada", "--password-stdin", given="a password of hers\n").exit_code == 0
    return ostiary


async def _sign_in(database_url: str, redis_url: str) -> None:
    async with open_world(settings_for(database_url, redis_url, secret_key="s" * 32)) as world:
        await world.sign_in()
        await world.client()


def _users(ostiary: Ostiary, **environment: str) -> list[str]:
    return sorted(user["username"] for user in of(ostiary("user", "list", "--json", **environment)))


def _edit(folder: Path, change: Change) -> None:
    manifest = folder / "manifest.json"
    members = json.loads(manifest.read_bytes())
    change(members)
    manifest.write_text(json.dumps(members), "utf-8")


@planted(lets_a_backup_live_on)
def test_a_backup_returns_whole_and_ends_what_may_have_ended(
    in_use: Ostiary, folder: Path, elsewhere: dict[str, str]
) -> None:
    """Users, clients and keys are restored; sessions and grants have ended, with an audit row."""
    made = of(in_use("backup", str(folder), "--json"))
    restored = of(in_use("restore", str(folder), "--verify", "--json", **elsewhere))
    assert restored["verified"]
    assert restored["at"] == made["at"]
    assert restored["sessions"] == 1
    assert _users(in_use, **elsewhere) == _users(in_use)
    for listing in ("client", "keys"):
        assert of(in_use(listing, "list", "--json", **elsewhere)) == of(in_use(listing, "list", "--json"))
    assert in_use("migrate", "--check", **elsewhere).exit_code == 0
    assert asyncio.run(_last_audit(elsewhere["OSTIARY_DATABASE_URL"])) == "restored"


async def _rename_ada(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("UPDATE users SET username = 'grace' WHERE username = 'ada'")
        await connection.execute("INSERT INTO audit (event, detail) VALUES ('renamed', '{}')")
    finally:
        await connection.close()


async def _last_audit(url: str) -> str:
    connection = await asyncpg.connect(url)
    event: str = await connection.fetchval("SELECT event FROM audit ORDER BY audit_id DESC LIMIT 1")
    await connection.close()
    return event


def test_only_the_owner_may_read_a_backup(in_use: Ostiary, folder: Path) -> None:
    """The folder and its files are private. A second backup into the same folder is refused."""
    assert in_use("backup", str(folder)).exit_code == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {"backup": 0o700, "manifest.json": 0o600, "database.dump": 0o600}
    again = in_use("backup", str(folder))
    assert (again.exit_code, "is not empty" in again.output) == (1, True)


@planted(dumps_another_moment)
def test_what_is_written_meanwhile_is_not_half_in_the_backup(
    in_use: Ostiary,
    folder: Path,
    elsewhere: dict[str, str],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The manifest and the dump are of one moment, even if rows are written meanwhile."""
    dump_as_planted = vars(make)["dump"]

    async def dump_later(*arguments: Any) -> None:
        await _rename_ada(database_url)
        await dump_as_planted(*arguments)

    monkeypatch.setattr(make, "dump", dump_later)
    assert in_use("backup", str(folder)).exit_code == 0
    restored = in_use("restore", str(folder), "--verify", **elsewhere)
    assert restored.exit_code == 0, restored.output
    assert "ada" in _users(in_use, **elsewhere)


@planted(takes_any_secret_key)
def test_a_backup_of_another_secret_key_is_refused(
    in_use: Ostiary, folder: Path, elsewhere: dict[str, str]
) -> None:
    """The backup is refused before anything changes, with the fingerprint of the key that it needs."""
    made = of(in_use("backup", str(folder), "--json"))
    refused = in_use("restore", str(folder), OSTIARY_SECRET_KEY=OTHER_SECRET_KEY, **elsewhere)
    assert refused.exit_code == 1
    assert made["secret_key_fingerprints"][0] in refused.output
    assert asyncio.run(dump.tables(elsewhere["OSTIARY_DATABASE_URL"])) == []


@planted(backs_up_what_nobody_can_open)
def test_keys_that_the_secret_key_does_not_open_are_not_backed_up(in_use: Ostiary, folder: Path) -> None:
    """Such a backup would be useless when it is needed."""
    refused = in_use("backup", str(folder), OSTIARY_SECRET_KEY=OTHER_SECRET_KEY)
    assert (refused.exit_code, "does not decrypt the key" in refused.output) == (1, True)
    assert not (folder / "manifest.json").exists()


@planted(takes_any_file)
@pytest.mark.parametrize("damage", [b"", b"PGDMP"], ids=["lost", "cut off"])
def test_a_damaged_backup_is_refused(
    in_use: Ostiary, folder: Path, elsewhere: dict[str, str], damage: bytes
) -> None:
    """The digests in the manifest show the damage."""
    assert in_use("backup", str(folder)).exit_code == 0
    if damage:
        (folder / "database.dump").write_bytes(damage)
    else:
        (folder / "database.dump").unlink()
    refused = in_use("restore", str(folder), **elsewhere)
    assert refused.exit_code == 1
    assert ("use another backup" if damage else "copy the whole folder") in refused.output


@planted(takes_any_version)
def test_a_backup_of_a_later_version_is_refused(
    in_use: Ostiary, folder: Path, elsewhere: dict[str, str]
) -> None:
    """This version does not know the migrations of a later one."""
    assert in_use("backup", str(folder)).exit_code == 0
    _edit(folder, lambda manifest: manifest["migrations"].update({"9999_future": "0" * 64}))
    refused = in_use("restore", str(folder), **elsewhere)
    assert (refused.exit_code, "restore it with that version or a later one" in refused.output) == (1, True)


@planted(takes_any_issuer)
def test_a_backup_of_another_issuer_is_refused(
    in_use: Ostiary, folder: Path, elsewhere: dict[str, str]
) -> None:
    """Its tokens and subject identifiers belong to that issuer."""
    assert in_use("backup", str(folder)).exit_code == 0
    _edit(folder, lambda manifest: manifest.update(issuer="https://other.example.org/oidc"))
    refused = in_use("restore", str(folder), **elsewhere)
    assert (refused.exit_code, "https://other.example.org/oidc" in refused.output) == (1, True)


@planted(replaces_whatever_is_there)
def test_a_database_in_use_is_replaced_only_on_request(in_use: Ostiary, folder: Path) -> None:
    """With --overwrite, the database has exactly the users of the backup."""
    assert in_use("backup", str(folder)).exit_code == 0
    assert in_use("user", "delete", "ada").exit_code == 0
    assert in_use("group", "add", "late").exit_code == 0
    refused = in_use("restore", str(folder))
    assert (refused.exit_code, "--overwrite" in refused.output) == (1, True)
    assert "ada" not in _users(in_use)
    assert in_use("restore", str(folder), "--overwrite", "--verify").exit_code == 0
    assert "ada" in _users(in_use)
    assert of(in_use("group", "list", "--json")) == []


@planted(loses_what_it_replaces)
def test_a_restore_that_fails_changes_nothing(in_use: Ostiary, folder: Path, database_url: str) -> None:
    """The last check fails: a table lacks rows of the backup."""
    assert in_use("backup", str(folder)).exit_code == 0
    assert in_use("user", "add", "grace", "--password-stdin", given="a password of hers\n").exit_code == 0
    before = asyncio.run(dump.contents(database_url))
    _edit(folder, lambda manifest: manifest["rows"].update(users=1000))
    refused = in_use("restore", str(folder), "--overwrite", "--verify")
    assert (refused.exit_code, "differs from what was backed up in users" in refused.output) == (1, True)
    after = asyncio.run(dump.contents(database_url))
    assert (after.rows, after.keys) == (before.rows, before.keys)
    assert "grace" in _users(in_use)


@planted(forgets_what_was_put_aside)
def test_a_restore_that_was_killed_has_lost_nothing(in_use: Ostiary, folder: Path, database_url: str) -> None:
    """The interrupted restore has set the old data aside; the next one brings them back first."""
    assert in_use("backup", str(folder)).exit_code == 0
    assert in_use("group", "add", "late").exit_code == 0
    asyncio.run(dump.put_aside(database_url))
    refused = in_use("restore", str(folder))
    assert (refused.exit_code, "--overwrite" in refused.output) == (1, True)
    assert [group["name"] for group in of(in_use("group", "list", "--json"))] == ["late"]
    asyncio.run(dump.put_aside(database_url))
    assert in_use("restore", str(folder), "--overwrite").exit_code == 0
    assert of(in_use("group", "list", "--json")) == []


def test_the_secret_key_may_be_part_of_a_backup(
    in_use: Ostiary, folder: Path, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    """The secret key is encrypted with a passphrase, and restored to a file for OSTIARY_SECRET_KEY_FILE."""
    passphrase, wrong, written = (tmp_path / name for name in ("passphrase", "wrong", "secret-key"))
    passphrase.write_text("correct horse battery staple\n", "utf-8")
    wrong.write_text("correct horse battery stapler\n", "utf-8")
    assert in_use("backup", str(folder), "--passphrase-file", str(passphrase)).exit_code == 0
    assert b"s" * 32 not in (folder / "secret_key.sealed").read_bytes()
    others = elsewhere | {"OSTIARY_SECRET_KEY": OTHER_SECRET_KEY}
    refused = in_use("restore", str(folder), "--passphrase-file", str(wrong), **others)
    assert (refused.exit_code, "the passphrase is another one" in refused.output) == (1, True)
    options = ("--passphrase-file", str(passphrase), "--write-secret-key", str(written))
    restored = in_use("restore", str(folder), *options, **others)
    assert restored.exit_code == 0, restored.output
    assert (written.read_text("ascii"), stat.S_IMODE(written.stat().st_mode)) == ("s" * 32, 0o600)


def test_faults_of_whoever_restores_are_sentences(in_use: Ostiary, folder: Path, tmp_path: Path) -> None:
    """A missing folder, a backup without a secret key, and incomplete options."""
    assert "is no backup that can be read" in in_use("restore", str(folder)).output
    assert in_use("backup", str(folder)).exit_code == 0
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("x", "utf-8")
    without = in_use("restore", str(folder), "--passphrase-file", str(passphrase))
    assert (without.exit_code, "has no secret_key.sealed" in without.output) == (1, True)
    passphrase.write_text("", "utf-8")
    assert "is empty" in in_use("restore", str(folder), "--passphrase-file", str(passphrase)).output
    assert in_use("restore", str(folder), "--write-secret-key", str(tmp_path / "key")).exit_code == 2
    (folder / "manifest.json").write_text("{}", "utf-8")
    assert "manifest.json is damaged" in in_use("restore", str(folder)).output
