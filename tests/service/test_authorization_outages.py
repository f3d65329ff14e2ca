"""The authorization service while a store is down: 503, never a verdict or half a session."""

from typing import Any
from unittest.mock import patch

import pytest

from shared.paths import AUTHORIZATION
from shared.store.postgres.transport.database import Database
from shared.store.redis.transport.client import RedisClient
from tests.authorization import (
    AuthorizationService,
    a_request,
    is_consent,
    is_login,
)
from tests.outages import POSTGRESQL, REDIS, away, is_away

ROUND_TRIPS = ((RedisClient, ("batch",)), (Database, ("row", "rows")))


@pytest.mark.parametrize(
    "stores", [(REDIS,), (POSTGRESQL,), (REDIS, POSTGRESQL)], ids=["redis", "pg", "both"]
)
async def test_every_step_waits_for_its_stores(op: AuthorizationService, stores: Any) -> None:
    """Each step answers 503 with Retry-After, and continues when the store is back."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    async with away(op, *stores):
        assert is_away(await browser.authorize(client))
        assert is_away(await browser.post(AUTHORIZATION.path, a_request(client)))
    login = await browser.authorize(client)
    assert is_login(login)
    async with away(op, *stores):
        assert is_away(await browser.log_in(login, user))
    consent = await browser.log_in(login, user)
    assert is_consent(consent)
    async with away(op, *stores):
        assert is_away(await browser.decide(consent))
        assert is_away(await browser.authorize(client, prompt="none"))
    assert "code" in (await browser.decide(consent)).answer


async def test_a_live_session_costs_two_and_one(op: AuthorizationService) -> None:
    """/oauth2/auth with a session and consent: two round trips to Redis, one statement."""
    client, browser = await op.client(), op.browser()
    await browser.sign_in(client, await op.user())
    asked: list[str] = []

    def counted(store: type, name: str) -> Any:
        original = getattr(store, name)

        async def ask(self: Any, *arguments: Any) -> Any:
            if "change_counter" not in str(arguments[0]):  # the watch's own poll
                asked.append(store.__name__)
            return await original(self, *arguments)

        return patch.object(store, name, ask)

    patches = [counted(store, name) for store, names in ROUND_TRIPS for name in names]
    for one in patches:
        one.start()
    page = await browser.authorize(client)
    for one in patches:
        one.stop()
    assert "code" in page.answer
    assert sorted(asked) == ["Database", "RedisClient", "RedisClient"]
