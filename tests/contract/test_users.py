"""The store of users: names, passwords, and ends of sessions and grants."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.model import User
from shared.store import Stale, Taken
from tests.builders import World
from tests.deployment import open_world, settings_for


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The stores of a deployment."""
    async with open_world(settings_for(database_url, redis_url)) as opened:
        yield opened


def a_user(username: str, email: str | None = None) -> User:
    """A user of that name."""
    return User(user_id=uuid4(), username=username, claims={"email": email} if email else {})


async def events(world: World) -> list[str]:
    """The audit log's events of users, in order."""
    rows = [row async for row in world.audit_rows()]
    return [row["event"] for row in rows if row["user_id"]]


@pytest.mark.parametrize("typed", ["Ada", " ada ", "ＡＤＡ", "ADA@Example.org"])
async def test_a_user_is_found_by_any_spelling_of_the_name_and_by_email(world: World, typed: str) -> None:
    """Names are equal regardless of compatibility forms, case and surrounding spaces."""
    user = a_user("Ada", "ada@example.org")
    await world.stores.users.add(user, "hash")
    found = await world.stores.credentials.find_user_and_password(typed)
    assert found
    assert (found.user.user_id, found.user.username, found.password_hash) == (user.user_id, "Ada", "hash")


@pytest.mark.parametrize("typed", ["nobody", "", "a\0b", "\ud800", "x" * 10_000])
async def test_a_name_that_cannot_be_is_nobodys(world: World, typed: str) -> None:
    """Text that PostgreSQL cannot store names no record, and is not an outage."""
    assert await world.stores.credentials.find_user_and_password(typed) is None
    assert await world.stores.users.find_by_name(typed) is None


@pytest.mark.parametrize(
    ("username", "email"),
    [("ADA", None), ("ada@example.org", None), ("bob", "ADA@example.org"), ("bob", "ada")],
)
async def test_names_and_emails_are_one_namespace(world: World, username: str, email: str | None) -> None:
    """Nobody can take a name that another user signs in with."""
    await world.stores.users.add(a_user("ada", "ada@example.org"), None)
    with pytest.raises(Taken):
        await world.stores.users.add(a_user(username, email), None)
    assert await events(world) == ["user_added"]


async def test_an_unverified_address_is_no_name(world: World) -> None:
    """An unverified address is neither a name to sign in with nor reserved; a verified one is."""
    users, email = world.stores.users, "ada@example.org"
    claimed = User(user_id=uuid4(), username="eve", claims={"email": email, "email_verified": False})
    await users.add(claimed, "hash")
    assert await world.stores.credentials.find_user_and_password(email) is None
    ada = a_user("ada", email)
    await users.add(ada, None)
    found = await world.stores.credentials.find_user_and_password(email)
    assert found
    assert found.user.user_id == ada.user_id
    await users.replace(replace(ada, claims={"email": email, "email_verified": False}))
    assert await world.stores.credentials.find_user_and_password(email) is None
    await users.replace(replace(claimed, claims={"email": email, "email_verified": True}))
    assert await world.stores.credentials.find_user_and_password(email)


async def test_who_added_a_user_is_audited(world: World) -> None:
    """The audit row is written in the same transaction as the user."""
    detail = {"by": "somebody"}
    await world.stores.users.add(a_user("ada"), None, detail)
    with pytest.raises(Taken):
        await world.stores.users.add(a_user("ada"), None, detail)
    rows = [row async for row in world.audit_rows()]
    assert [row["detail"] for row in rows if row["event"] == "user_added"] == [detail]


async def test_of_many_at_once_one_gets_the_name(world: World) -> None:
    """One of several concurrent users gets a name, be it a user name or an e-mail address."""
    users = [a_user("eve@x.test") if index % 2 else a_user(f"u{index}", "eve@x.test") for index in range(10)]
    results = await asyncio.gather(
        *(world.stores.users.add(user, None) for user in users), return_exceptions=True
    )
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, Taken) for result in results) == 9


async def test_what_ends_everything_raises_the_epoch_and_is_audited(world: World) -> None:
    """A new password, disabling and ending all raise the epoch; enabling, rehashing and claims do not."""
    users, user = world.stores.users, a_user("ada")
    await users.add(user, "old")
    epochs = []
    for step in (
        world.stores.credentials.rehash(user.user_id, "old", "newer"),
        world.stores.credentials.rehash(user.user_id, "old", "stale"),
        users.replace(replace(user, claims={"name": "Ada"})),
        world.stores.credentials.set_password(user.user_id, "new"),
        users.disable(user.user_id),
        users.disable(user.user_id),
        users.enable(user.user_id),
        users.end_all(user.user_id),
    ):
        await step
        found = await users.find(user.user_id)
        assert found
        epochs.append(found.epoch)
    assert epochs == [0, 0, 0, 1, 2, 2, 2, 3]
    credential = await world.stores.credentials.find_user_and_password("ada")
    assert credential
    assert credential.password_hash == "new"
    assert await events(world) == [
        "user_added",
        "user_claims_changed",
        "password_changed",
        "user_disabled",
        "user_enabled",
        "user_logged_out",
    ]


async def test_rehash_replaces_only_the_hash_it_was_made_from(world: World) -> None:
    """A rehash does not replace a password that was changed in the meantime."""
    user = a_user("ada")
    await world.stores.users.add(user, "changed")
    await world.stores.credentials.rehash(user.user_id, "old", "rehashed")
    credential = await world.stores.credentials.find_user_and_password("ada")
    assert credential
    assert credential.password_hash == "changed"


async def test_a_new_email_replaces_the_old_one_as_a_name(world: World) -> None:
    """A new address replaces the old one as a name, and is refused if it is another user's."""
    users, ada = world.stores.users, a_user("ada", "old@x.test")
    await users.add(ada, None)
    await users.add(a_user("bob", "bob@x.test"), None)
    await users.replace(replace(ada, claims={"email": "new@x.test"}))
    assert await world.stores.credentials.find_user_and_password("old@x.test") is None
    assert await world.stores.credentials.find_user_and_password("new@x.test")
    with pytest.raises(Taken):
        await users.replace(replace(ada, claims={"email": "bob"}, claims_version=1))
    assert await world.stores.credentials.find_user_and_password("new@x.test")


async def test_a_new_name_replaces_the_old_one(world: World) -> None:
    """Everything else of the user stays, and the audit row has the former name."""
    users, ada = world.stores.users, a_user("ada", "ada@x.test")
    await users.add(ada, "hash")
    await users.add(a_user("bob"), None)
    await users.replace(replace(ada, username="Countess"))
    assert await world.stores.credentials.find_user_and_password("ada") is None
    found = await world.stores.credentials.find_user_and_password("countess")
    assert found
    assert (found.user.user_id, found.user.username, found.password_hash) == (ada.user_id, "Countess", "hash")
    with pytest.raises(Taken):
        await users.replace(replace(ada, username="BOB", claims_version=1))
    rows = [row async for row in world.audit_rows()]
    assert rows[-1]["detail"] == {"former_username": "ada"}


async def test_a_change_of_what_has_changed_since_is_refused(world: World) -> None:
    """A stale change is refused, and does not restore a deleted user."""
    users, ada = world.stores.users, a_user("ada")
    await users.add(ada, None)
    results = await asyncio.gather(
        *(users.replace(replace(ada, claims={"name": name})) for name in ("A", "B", "C")),
        return_exceptions=True,
    )
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, Stale) for result in results) == 2
    await users.delete(ada.user_id)
    with pytest.raises(Stale):
        await users.replace(replace(ada, claims_version=1))


async def test_a_deleted_user_leaves_the_names_free(world: World) -> None:
    """Only the audit rows of a deleted user are left."""
    users, ada = world.stores.users, a_user("ada", "ada@x.test")
    await users.add(ada, "hash")
    await users.delete(ada.user_id)
    assert await users.find(ada.user_id) is None
    await users.add(replace(a_user("ada", "ada@x.test")), None)


async def test_users_are_listed_by_name_page_by_page(world: World) -> None:
    """Each once."""
    for name in ("c", "A", "b"):
        await world.stores.users.add(a_user(name), None)
    first = await world.stores.users.list(None, 2)
    rest = await world.stores.users.list(first[-1].username, 2)
    assert [user.username for user in (*first, *rest)] == ["A", "b", "c"]


async def test_the_claims_that_no_user_has_are_named(world: World) -> None:
    """Any value counts, also an empty one. A name that PostgreSQL cannot store is nobody's."""
    await world.stores.users.add(
        replace(a_user("ada"), claims={"department": "Library", "nickname": ""}), None
    )
    names = ("department", "nickname", "Department", "shoe size", "a\0b")
    assert await world.stores.users.absent_claims(names) == {"Department", "shoe size", "a\0b"}
    assert await world.stores.users.absent_claims(()) == frozenset()
