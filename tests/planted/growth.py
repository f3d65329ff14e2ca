"""Planted defects that let the database grow without limit."""

from datetime import datetime, timedelta

import pytest

from services.token.grants import redemption
from shared.config.settings import Settings
from shared.oauth.client.record import Client
from shared.store import Expiring, NewFamily
from shared.store.postgres import client_removals, client_uses, initial_access_tokens
from shared.store.postgres.expiry import PostgresExpiry


def removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expired rows are never deleted."""

    async def remove(_self: PostgresExpiry, _table: Expiring, _retention: timedelta, _limit: int) -> int:
        return 0

    monkeypatch.setattr(PostgresExpiry, "remove", remove)


def lets_every_grant_live_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grant ends only after the longest lifetime of any grant."""

    def grant_end(_client: Client, _family: NewFamily | None, settings: Settings, now: datetime) -> datetime:
        return now + settings.grant_lifetime

    async def end_spent_grants(_: PostgresExpiry, *__: object) -> None:
        return None

    monkeypatch.setattr(redemption, "grant_end", grant_end)
    monkeypatch.setattr(PostgresExpiry, "end_spent_grants", end_spent_grants)


def removes_a_client_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a deleted client leaves is removed by one statement, however much it is."""
    sql = client_removals._REMOVE.replace("LIMIT $1", "LIMIT 1000000 + $1")
    assert sql != client_removals._REMOVE
    monkeypatch.setattr(client_removals, "_REMOVE", sql)


def remembers_who_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logout notices that were given up stay until another notice comes."""
    remove = PostgresExpiry.remove

    async def all_but_notices(self: PostgresExpiry, table: Expiring, retention: timedelta, limit: int) -> int:
        return 0 if table is Expiring.OUTBOX else await remove(self, table, retention, limit)

    monkeypatch.setattr(PostgresExpiry, "remove", all_but_notices)


def deletes_and_marks_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The upkeep of clients locks every row that it concerns by one statement."""
    for module, name in ((client_uses, "_MARK_BY_GRANTS"), (initial_access_tokens, "_DELETE_EXPIRED")):
        sql: str = getattr(module, name)
        assert "LIMIT 500" in sql
        monkeypatch.setattr(module, name, sql.replace("LIMIT 500", ""))
