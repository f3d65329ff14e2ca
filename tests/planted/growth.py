"""Defects by which the database only grows."""

from datetime import datetime, timedelta

import pytest

from services.token.grants import redemption
from shared.config.settings import Settings
from shared.oauth.client.record import Client
from shared.store import Expiring, NewFamily
from shared.store.postgres.expiry import PostgresExpiry


def removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has expired stays."""

    async def remove(_self: PostgresExpiry, _table: Expiring, _retention: timedelta, _limit: int) -> int:
        return 0

    monkeypatch.setattr(PostgresExpiry, "remove", remove)


def lets_every_grant_live_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grant ends after the longest lifetime of any, whatever it can issue."""

    def grant_end(_client: Client, _family: NewFamily | None, settings: Settings, now: datetime) -> datetime:
        return now + settings.grant_lifetime

    async def end_spent_grants(_: PostgresExpiry, *__: object) -> None:
        return None

    monkeypatch.setattr(redemption, "grant_end", grant_end)
    monkeypatch.setattr(PostgresExpiry, "end_spent_grants", end_spent_grants)
