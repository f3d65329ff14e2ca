"""The store of credentials, beside a previous release with its own table of passwords."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.live import clock
from shared.model import User
from shared.store import PASSWORD, USE_NOTED_EVERY, Credential, Stale, Taken
from shared.store.migrate import migrate, migrations
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.credentials import (
    forgets_that_a_password_is_temporary,
    hides_changes_from_the_previous_release,
    locks_in_another_order,
    misses_changes_of_the_previous_release,
    rehashes_a_changed_password,
    replaces_a_changed_password,
    writes_every_use,
)

# The statements of the previous release, as it has them.
_OLD_FIND = """
SELECT c.password_hash FROM user_names n JOIN users u USING (user_id)
  LEFT JOIN credentials c USING (user_id) WHERE n.name_key = $1"""
_OLD_ADD = "INSERT INTO credentials (user_id, password_hash) VALUES ($1, $2)"
_OLD_REHASH = "UPDATE credentials SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2"
_OLD_SET_PASSWORD = """
WITH changed AS (UPDATE users SET epoch = epoch + 1, updated_at = now() WHERE user_id = $1 RETURNING user_id),
stored AS (INSERT INTO credentials (user_id, password_hash) SELECT user_id, $2 FROM changed
           ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = now())
INSERT INTO audit (event, user_id) SELECT 'password_changed', user_id FROM changed"""


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment."""
    async with open_world(settings_for(database_url, redis_url)) as opened:
        yield opened


async def a_user(world: World, password_hash: str | None = "hash") -> UUID:
    """A user `ada`, with a password unless it is None."""
    user_id = uuid4()
    await world.stores.users.add(User(user_id=user_id, username="ada"), password_hash)
    return user_id


def a_passkey(user_id: UUID) -> Credential:
    """A credential of which a user may have several."""
    return Credential(
        credential_id=uuid4(), user_id=user_id, kind="passkey", data={"key": "k"}, created_at=clock.now()
    )


async def password_hash(world: World) -> str | None:
    """The hash of ada's password, as sign-in finds it."""
    known = await world.stores.credentials.find_user_and_password("ada")
    return known.password_hash if known else None


async def old_password_hash(world: World) -> str | None:
    """The hash as the previous release finds it."""
    row = await world.database.row(_OLD_FIND, "ada")
    return row["password_hash"] if row else None


async def old(world: World, statement: str, *arguments: Any) -> None:
    """Run a statement of the previous release."""
    await world.database.row(statement, *arguments)


async def test_a_user_has_several_credentials(world: World) -> None:
    """Several credentials of a kind are found, and removing one leaves the others."""
    credentials, user_id = world.stores.credentials, await a_user(world)
    first, second = a_passkey(user_id), a_passkey(user_id)
    await credentials.add(first)
    await credentials.add(second)
    password, *passkeys = await credentials.of_user(user_id)
    assert (password.kind, password.data) == (PASSWORD, {"hash": "hash"})
    assert passkeys == [first, second]
    await credentials.remove(user_id, first.credential_id)
    assert await credentials.of_user(user_id) == [password, second]


async def test_a_second_password_is_refused(world: World) -> None:
    """A second password and a second credential with the same id are refused."""
    credentials, user_id = world.stores.credentials, await a_user(world)
    passkey = a_passkey(user_id)
    await credentials.add(passkey)
    with pytest.raises(Taken):
        await credentials.add(passkey)
    with pytest.raises(Taken):
        await credentials.add(replace(a_passkey(user_id), kind=PASSWORD, data={"hash": "second"}))
    assert await password_hash(world) == "hash"


async def test_a_credential_belongs_to_its_user(world: World) -> None:
    """A credential is only removed for its own user, and never added for an unknown user."""
    credentials, user_id = world.stores.credentials, await a_user(world)
    passkey = a_passkey(user_id)
    await credentials.add(passkey)
    await credentials.remove(uuid4(), passkey.credential_id)
    await credentials.add(a_passkey(uuid4()))
    assert passkey in await credentials.of_user(user_id)
    assert len(await world.database.rows("SELECT FROM user_credentials")) == 2


async def test_changes_of_credentials_are_audited(world: World) -> None:
    """Audit rows have the kind, but not the data."""
    credentials, user_id = world.stores.credentials, await a_user(world)
    passkey = a_passkey(user_id)
    await credentials.add(passkey)
    await credentials.remove(user_id, passkey.credential_id)
    await credentials.remove(user_id, passkey.credential_id)
    await credentials.set_password(user_id, "new")
    rows = [row async for row in world.audit_rows() if row["user_id"]]
    assert [row["event"] for row in rows] == [
        "user_added",
        "credential_added",
        "credential_removed",
        "password_changed",
    ]
    assert rows[1]["detail"] == {"credential_id": str(passkey.credential_id), "kind": "passkey"}


@planted(writes_every_use)
async def test_a_use_is_noted_once_an_hour(world: World) -> None:
    """A second use within a short time is not written. A new password is unused."""
    credentials, user_id = world.stores.credentials, await a_user(world)
    start = clock.now()

    async def password() -> Credential:
        (credential,) = await credentials.of_user(user_id)
        return credential

    assert (await password()).last_used_at is None
    await credentials.note_use(await password(), start)
    await credentials.note_use(await password(), start + USE_NOTED_EVERY / 2)
    assert (await password()).last_used_at == start
    await credentials.note_use(await password(), start + USE_NOTED_EVERY)
    assert (await password()).last_used_at == start + USE_NOTED_EVERY
    await credentials.note_use(replace(await password(), last_used_at=None), start - timedelta(hours=1))
    assert (await password()).last_used_at == start + USE_NOTED_EVERY
    await credentials.set_password(user_id, "new")
    assert (await password()).last_used_at is None


@planted(misses_changes_of_the_previous_release)
@pytest.mark.parametrize("first", [None, "hash"])
async def test_a_password_that_the_previous_release_sets_is_effective_here(
    world: World, first: str | None
) -> None:
    """A password that the other release sets replaces the old one, and is unused."""
    user_id = await a_user(world, first)
    await old(world, _OLD_SET_PASSWORD, user_id, "old code's")
    assert await password_hash(world) == "old code's"
    await old(world, _OLD_REHASH, user_id, "old code's", "rehashed")
    assert await password_hash(world) == "rehashed"
    assert len(await world.stores.credentials.of_user(user_id)) == 1


@planted(hides_changes_from_the_previous_release)
@pytest.mark.parametrize("first", [None, "hash"])
async def test_a_password_that_is_set_here_is_effective_in_the_previous_release(
    world: World, first: str | None
) -> None:
    """A user who is added by this release can sign in at the previous one."""
    user_id = await a_user(world, first)
    assert await old_password_hash(world) == first
    await world.stores.credentials.set_password(user_id, "new code's")
    assert await old_password_hash(world) == "new code's"
    await world.stores.credentials.rehash(user_id, "new code's", "rehashed")
    assert await old_password_hash(world) == "rehashed"
    await old(world, _OLD_SET_PASSWORD, user_id, "old code's")
    assert await password_hash(world) == "old code's"


@planted(misses_changes_of_the_previous_release)
async def test_a_user_whom_the_previous_release_adds_signs_in_here(world: World) -> None:
    """The password of a user of the previous release counts as set when the user was added."""
    user_id = await a_user(world, None)
    await old(world, _OLD_ADD, user_id, "added")
    (password,) = await world.stores.credentials.of_user(user_id)
    changed = await world.database.row("SELECT changed_at FROM credentials WHERE user_id = $1", user_id)
    assert changed
    assert (password.data, password.created_at) == ({"hash": "added"}, changed["changed_at"])


@planted(hides_changes_from_the_previous_release)
async def test_a_password_that_is_removed_here_is_removed_in_the_previous_release(world: World) -> None:
    """Other credentials stay."""
    credentials, user_id = world.stores.credentials, await a_user(world, None)
    await old(world, _OLD_ADD, user_id, "added")
    passkey = a_passkey(user_id)
    await credentials.add(passkey)
    password, _ = await credentials.of_user(user_id)
    await credentials.remove(user_id, password.credential_id)
    assert await old_password_hash(world) is None
    assert await credentials.of_user(user_id) == [passkey]


@pytest.mark.parametrize("statement", ["DELETE FROM users WHERE user_id = $1", None])
async def test_a_deleted_user_leaves_no_credential(world: World, statement: str | None) -> None:
    """A deleted user has a password in neither table, whichever release deletes the user."""
    user_id = await a_user(world)
    await world.stores.credentials.add(a_passkey(user_id))
    if statement:
        await old(world, statement, user_id)
    else:
        await world.stores.users.delete(user_id)
    for table in ("credentials", "user_credentials"):
        assert await world.database.row(f"SELECT FROM {table}") is None


@planted(misses_changes_of_the_previous_release)
async def test_a_password_that_the_previous_release_removes_is_gone_here(world: World) -> None:
    """Other credentials stay."""
    user_id = await a_user(world)
    passkey = a_passkey(user_id)
    await world.stores.credentials.add(passkey)
    await old(world, "DELETE FROM credentials WHERE user_id = $1", user_id)
    assert await world.stores.credentials.of_user(user_id) == [passkey]
    assert await password_hash(world) is None


@planted(rehashes_a_changed_password)
async def test_a_rehash_never_undoes_a_change_by_the_previous_release(world: World) -> None:
    """A rehash never replaces a new password, even if that is committed while it waits."""
    user_id = await a_user(world)
    async with world.database.transaction() as other:
        await other.execute(_OLD_SET_PASSWORD, user_id, "changed")
        rehash = asyncio.create_task(world.stores.credentials.rehash(user_id, "hash", "rehashed"))
        await _until_one_waits(world)
    await rehash
    assert await password_hash(world) == await old_password_hash(world) == "changed"


@planted(locks_in_another_order)
@pytest.mark.parametrize("change", ["rehash", "set_password", "remove"])
async def test_changes_by_both_releases_wait_for_each_other(world: World, change: str) -> None:
    """Both releases lock rows in the same order, so they do not deadlock."""
    credentials, user_id = world.stores.credentials, await a_user(world)
    (password,) = await credentials.of_user(user_id)
    steps = {
        "rehash": lambda: credentials.rehash(user_id, "hash", "new code's"),
        "set_password": lambda: credentials.set_password(user_id, "new code's"),
        "remove": lambda: credentials.remove(user_id, password.credential_id),
    }
    async with world.database.transaction() as other:
        await other.execute("SELECT FROM credentials WHERE user_id = $1 FOR UPDATE", user_id)
        step = asyncio.create_task(steps[change]())
        await _until_one_waits(world)
        await other.execute(_OLD_REHASH, user_id, "hash", "old code's")
    await step
    assert await password_hash(world) == await old_password_hash(world)
    assert await password_hash(world) == {"rehash": "old code's", "set_password": "new code's"}.get(change)


async def test_of_many_changes_at_once_both_tables_keep_the_same(world: World) -> None:
    """The last password counts, whichever release sets it."""
    user_id = await a_user(world)
    await asyncio.gather(
        *(old(world, _OLD_SET_PASSWORD, user_id, f"old {index}") for index in range(10)),
        *(world.stores.credentials.set_password(user_id, f"new {index}") for index in range(10)),
        *(old(world, _OLD_REHASH, user_id, f"new {index}", f"old {index}+") for index in range(10)),
        *(world.stores.credentials.rehash(user_id, f"old {index}", f"new {index}+") for index in range(10)),
    )
    assert await password_hash(world) == await old_password_hash(world) != "hash"
    user = await world.stores.users.find(user_id)
    assert user
    assert user.epoch == 20


async def test_passwords_of_the_previous_release_are_there_after_the_migration(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The migrations copy every password, also those set between the two files."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        names = [migration.name for migration in migrations()]
        created, copied = names.index("0011_user_credentials"), names.index("0012_copied_passwords")
        for end in (created, copied):
            with monkeypatch.context() as patched:
                patched.setattr("shared.store.migrate.migrations", lambda end=end: migrations()[:end])
                await migrate(database_url)
            for name in ("before", "changed") if end == created else ("between",):
                await _old_user(connection, name)
        await connection.execute(
            "UPDATE credentials SET password_hash = 'anew' WHERE password_hash = 'changed'"
        )
        await migrate(database_url)
        rows = await connection.fetch(
            "SELECT username, data ->> 'hash' FROM user_credentials JOIN users USING (user_id) ORDER BY 1"
        )
        assert [tuple(row) for row in rows] == [
            ("before", "before"),
            ("between", "between"),
            ("changed", "anew"),
        ]
    finally:
        await connection.close()


async def _old_user(connection: asyncpg.Connection, name: str) -> None:
    user_id = uuid4()
    await connection.execute(
        "INSERT INTO users (user_id, username, username_key) VALUES ($1, $2, $2)", user_id, name
    )
    await connection.execute(_OLD_ADD, user_id, name)


async def _until_one_waits(world: World) -> None:
    """Return when a statement waits for a lock of another transaction."""
    async with asyncio.timeout(60):
        while not await world.database.row(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)


async def is_temporary(world: World) -> bool:
    """Whether ada has to replace her password."""
    known = await world.stores.credentials.find_user_and_password("ada")
    assert known
    return known.is_temporary


@planted(forgets_that_a_password_is_temporary)
async def test_a_temporary_password_stays_so_until_another_is_set(world: World) -> None:
    """Newer parameters do not change that; the user's own choice does."""
    user_id, credentials = await a_user(world), world.stores.credentials
    assert not await is_temporary(world)
    await credentials.set_password(user_id, "second", is_temporary=True)
    await credentials.rehash(user_id, "second", "second again")
    await old(world, _OLD_REHASH, user_id, "second again", "second once more")
    assert await is_temporary(world)
    await credentials.set_password(user_id, "third")
    assert not await is_temporary(world)


@planted(replaces_a_changed_password)
async def test_one_of_two_replacements_wins(world: World) -> None:
    """The epoch at which the user signed in decides."""
    user_id, credentials = await a_user(world), world.stores.credentials
    await credentials.set_password(user_id, "second", is_temporary=True)
    epochs = await asyncio.gather(
        *(credentials.replace_temporary_password(user_id, 1, f"new {n}") for n in range(4)),
        return_exceptions=True,
    )
    assert sorted(map(repr, epochs)) == sorted(["2", *[repr(Stale(str(user_id)))] * 3])
    assert not await is_temporary(world)
