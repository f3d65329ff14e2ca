"""The authorization service while a store is away: 503, never a verdict and never half a session."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import pytest

from shared.paths import AUTHORIZATION, END_SESSION, LOGOUT, LOGOUT_DONE
from shared.store import Unavailable
from shared.store.postgres.database import Database
from shared.store.postgres.pool import Pool
from shared.store.redis.transport.client import RedisClient
from shared.web.resources import WATCH
from tests.authorization import (
    ON_MODULE_LOOP,
    AuthorizationService,
    Page,
    a_request,
    is_consent,
    is_login,
)

pytestmark = ON_MODULE_LOOP

REDIS = (RedisClient, ("execute", "batch", "run"))
POSTGRESQL = (Pool, ("take",))  # a connection
ROUND_TRIPS = ((RedisClient, ("batch",)), (Database, ("row", "rows")))


async def _away(*_: Any, **__: Any) -> Any:
    raise Unavailable("it is away")


@asynccontextmanager
async def away(op: AuthorizationService, *stores: tuple[type, tuple[str, ...]]) -> AsyncIterator[None]:
    """Nothing that these stores are asked is answered; what was confirmed before is forgotten."""
    patches: list[Any] = [patch.object(store, name, _away) for store, names in stores for name in names]
    if POSTGRESQL in stores:
        patches.append(patch.object(Pool, "take_idle", return_value=None))
    for one in patches:
        one.start()
    if POSTGRESQL in stores:
        op.app[WATCH]._confirmed_at = float("-inf")
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def is_away(page: Page) -> bool:
    return page.status == 503 and "Retry-After" in page.headers and page.cookies == () and not page.location


@pytest.mark.parametrize(
    "stores", [(REDIS,), (POSTGRESQL,), (REDIS, POSTGRESQL)], ids=["redis", "pg", "both"]
)
async def test_every_step_waits_for_its_stores(op: AuthorizationService, stores: Any) -> None:
    """503 with Retry-After at each step; when the store is back each step goes on where it was."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    async with away(op, *stores):
        assert is_away(await browser.authorize(client))
        assert is_away(await browser.request("POST", AUTHORIZATION.path, data=a_request(client)))
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


async def test_logout_without_redis(op: AuthorizationService) -> None:
    """It works: PostgreSQL has ended the session, and the old cookie is dead when Redis is back."""
    client, browser = await op.client(), op.browser()
    await browser.sign_in(client, await op.user())
    copy = op.browser(has_jar=False)
    copy.headers = {"Cookie": "; ".join(f"{c.key}={c.value}" for c in browser.http.cookie_jar)}
    async with away(op, REDIS):
        page = await browser.get(END_SESSION.path)
        page = await browser.post(LOGOUT.path, page.hidden)
        assert (page.status, page.path) == (200, LOGOUT_DONE.path)
    assert (await copy.authorize(client, prompt="none")).answer["error"] == "login_required"


@pytest.mark.parametrize("way", ["hint", "question"])
async def test_logout_without_postgresql_says_that_it_is_not_complete(
    op: AuthorizationService, way: str
) -> None:
    """The browser forgets its session; the page says that this is not all; 503."""
    client, browser = await op.client(), op.browser()
    await browser.sign_in(client, await op.user())
    hint = await op.id_token(browser, client)
    async with away(op, POSTGRESQL):
        if way == "hint":
            page = await browser.get(END_SESSION.path, {"id_token_hint": hint})
        else:
            page = await browser.get(END_SESSION.path)
            page = await browser.post(LOGOUT.path, page.hidden)
        assert page.status == 503
        assert "Retry-After" in page.headers
        assert "Max-Age=0" in page.cookies[0]
    assert browser.cookie("session") is None


async def test_logout_without_any_store(op: AuthorizationService) -> None:
    """503, and nothing has changed."""
    client, browser = await op.client(), op.browser()
    await browser.sign_in(client, await op.user())
    async with away(op, REDIS, POSTGRESQL):
        assert is_away(await browser.get(END_SESSION.path))
    assert "code" in (await browser.authorize(client, prompt="none")).answer


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
