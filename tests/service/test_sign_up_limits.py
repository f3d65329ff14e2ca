"""Sign-up under load, and while a store is down."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch

import pytest
import pytest_asyncio

from services.authorization.authentication.throttling import SIGN_UP as PACE
from shared.identity.passwords import PasswordQueueFull, Passwords
from shared.paths import SIGN_UP
from shared.server.resources import STORES
from shared.store import Unavailable
from tests.authorization import (
    LOCAL_ISSUER,
    PASSWORD,
    AuthorizationService,
    Page,
    is_consent,
    serve_authorization,
)
from tests.deployment import settings_for
from tests.outages import POSTGRESQL, REDIS, away, is_away
from tests.sign_up import a_name, a_stranger, sign_up, user_named


@pytest_asyncio.fixture(scope="module")
async def guarded(
    op: AuthorizationService, module_database_url: str, module_redis_url: str
) -> AsyncIterator[AuthorizationService]:
    """Self-registration with rate limits."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER, sign_up="open")
    async with serve_authorization(settings, op.world) as service:
        yield service


async def test_an_address_adds_so_many_and_no_more(guarded: AuthorizationService) -> None:
    """Sign-ups with a taken name count against the limit; invalid ones do not."""
    browser, page = await a_stranger(guarded)
    owner = await guarded.user()

    async def tried(username: str, network: str = "10.20.0.1", password: str = PASSWORD) -> Page:
        fields = {**page.hidden, "username": username, "password": password}
        headers = {"X-Forwarded-For": network}
        return await browser.request("POST", SIGN_UP.path, data=fields, headers=headers)

    for _ in range(PACE.free + 1):
        assert (await tried(a_name(), password="short")).status == 400
    pages = await asyncio.gather(*(tried(owner.username) for _ in range(PACE.free + 5)))
    assert sorted(one.status for one in pages) == [400] * PACE.free + [429] * 5
    waiting = await tried(name := a_name())
    assert waiting.status == 429
    assert int(waiting.headers["Retry-After"]) > 0
    assert "Too many attempts" in waiting.text
    assert await user_named(guarded, name) is None
    assert (await tried(name, network="10.20.0.2")).status == 303


async def test_who_was_sent_away_has_not_tried(guarded: AuthorizationService) -> None:
    """A 503 because of too many passwords does not count as an attempt."""
    browser, page = await a_stranger(guarded)
    headers = {"X-Forwarded-For": "10.21.0.1"}
    fields = {**page.hidden, "username": (name := a_name()), "password": PASSWORD}
    with patch.object(Passwords, "hash", side_effect=PasswordQueueFull("full")):
        for _ in range(PACE.free + 1):
            assert is_away(await browser.request("POST", SIGN_UP.path, data=fields, headers=headers))
    assert await user_named(guarded, name) is None
    assert is_consent(await browser.post(SIGN_UP.path, fields, headers=headers))


@pytest.mark.parametrize(
    "stores", [(REDIS,), (POSTGRESQL,), (REDIS, POSTGRESQL)], ids=["redis", "pg", "both"]
)
async def test_without_its_stores_nobody_is_added(open_op: AuthorizationService, stores: Any) -> None:
    """503 while the stores are down; the same form works afterwards."""
    browser, page = await a_stranger(open_op)
    async with away(open_op, *stores):
        assert is_away(await sign_up(browser, page, name := a_name()))
        assert is_away(await browser.get(SIGN_UP.path, {"interaction": page.hidden["interaction"]}))
    assert await user_named(open_op, name) is None
    assert is_consent(await sign_up(browser, page, name))


async def test_a_user_is_whole_or_is_not(open_op: AuthorizationService) -> None:
    """A store that goes away between the user and the session: 503. Sign-up and sign-in both go on."""
    browser, page = await a_stranger(open_op)
    name, sessions = a_name(), type(open_op.app[STORES].sessions)
    with patch.object(sessions, "begin", side_effect=Unavailable("it is away")):
        assert is_away(await sign_up(browser, page, name))
    user = await user_named(open_op, name)
    assert user
    assert is_consent(await sign_up(browser, page, name))
    other = open_op.browser()
    assert is_consent(await other.log_in(await other.authorize(await open_op.client()), user))
