"""Planted defects of users' credentials."""

from datetime import timedelta
from typing import Any

import pytest

from shared.model import User
from shared.store.postgres import credentials
from shared.store.postgres.users import PostgresUsers


def _without_triggers(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """Drop the triggers of *table* before the first user is added."""
    add = PostgresUsers.add

    async def dropping(self: PostgresUsers, *arguments: Any, **options: Any) -> User:
        await self._database.row(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return await add(self, *arguments, **options)

    monkeypatch.setattr(PostgresUsers, "add", dropping)


def misses_changes_of_the_previous_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that the previous release changes is not copied to the new table."""
    _without_triggers(monkeypatch, "credentials")


def hides_changes_from_the_previous_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that this release changes is not copied to the old table."""
    _without_triggers(monkeypatch, "user_credentials")


def locks_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change locks the new table's row before the old one's: two releases can deadlock."""
    monkeypatch.setattr(credentials, "_LOCK_PASSWORD", "SELECT $1::uuid")
    in_order = "SELECT user_id FROM credentials WHERE user_id = $1 FOR UPDATE"
    assert in_order in credentials._REHASH
    monkeypatch.setattr(
        credentials, "_REHASH", credentials._REHASH.replace(in_order, "SELECT $1::uuid AS user_id")
    )


def rehashes_a_changed_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The new hash of an old password replaces a password that was set in the meantime."""
    condition = " AND c.data ->> 'hash' = $2"
    assert condition in credentials._REHASH
    sql = credentials._REHASH.replace(condition, " AND $2::text IS NOT NULL")
    monkeypatch.setattr(credentials, "_REHASH", sql)


def writes_every_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sign-in writes a row, however recent the last noted use is."""
    monkeypatch.setattr(credentials, "USE_NOTED_EVERY", timedelta(0))


def forgets_that_a_password_is_temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that somebody else has set is kept like any other."""
    sql = credentials._SET_PASSWORD
    assert "$4 FROM" in sql
    monkeypatch.setattr(credentials, "_SET_PASSWORD", sql.replace("$4 FROM", "$4 AND false FROM"))


def replaces_a_changed_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that was opened before replaces the password that the user has by now."""
    sql = credentials._LOCK_EPOCH
    assert "epoch = $2" in sql
    monkeypatch.setattr(credentials, "_LOCK_EPOCH", sql.replace("epoch = $2", "$2 >= 0"))
