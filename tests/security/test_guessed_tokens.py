"""Guessing tokens at introspection: guesses are throttled, and valid tokens never are."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from services.token.endpoints.unknown_tokens import RATE
from shared.oauth.client.record import Client
from shared.oauth.tokens.refresh_token import FAMILY_SECRET_BYTES, RANDOM_BYTES, RefreshToken
from shared.paths import INTROSPECTION
from shared.server.app import SETTINGS
from shared.store.postgres.grants import PostgresGrants
from shared.store.postgres.refresh_families import PostgresRefreshFamilies
from tests.deployment import TokenService, open_world, serve_tokens, settings_for
from tests.fault_proxy import redis_proxy

MOST = RATE.most
INACTIVE = (200, {"active": False})


@pytest.fixture
async def limited(database_url: str, redis_url: str) -> AsyncIterator[TokenService]:
    """A token service with its rate limits on, and nothing counted yet."""
    settings = settings_for(database_url, redis_url)
    async with open_world(settings) as world, serve_tokens(settings, world) as service:
        yield service


@pytest.fixture(autouse=True)
def _one_period(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the period of the rate limits longer than any test."""
    endless = replace(RATE, period=timedelta(days=36500))
    monkeypatch.setattr("services.token.endpoints.unknown_tokens.RATE", endless)


def guesses(*genuine: str) -> Iterator[str]:
    """Mutations of genuine tokens, and random tokens of every form."""
    while True:
        for token in genuine:
            position = 3 + secrets.randbelow(len(token) - 3)
            other = "A" if token[position] != "A" else "B"
            yield f"{token[:position]}{other}{token[position + 1 :]}"
        yield secrets.token_urlsafe(32)
        yield f"at_{secrets.token_urlsafe(120)}"
        yield f"rt_{secrets.token_urlsafe(54)}"
        yield f"ey{secrets.token_urlsafe(20)}.{secrets.token_urlsafe(60)}.{secrets.token_urlsafe(64)}"


async def ask(tokens: TokenService, client: Client, token: str) -> tuple[int, Any]:
    """The status and the members of an introspection response."""
    response = await tokens.post(INTROSPECTION.path, {"token": token}, client)
    return response.status, await response.json()


async def test_a_scan_is_told_to_stop_and_what_holds_is_answered_all_the_same(limited: TokenService) -> None:
    """Only guesses get 429, without a round trip to PostgreSQL; other clients are served."""
    client, other = await limited.world.client(), await limited.world.client()
    issued = await limited.tokens(client)
    guess = guesses(issued["access_token"], issued["refresh_token"], issued["id_token"])
    with (
        patch.object(PostgresGrants, "find_user", side_effect=AssertionError),
        patch.object(PostgresRefreshFamilies, "find", side_effect=AssertionError),
    ):
        answers = [await ask(limited, client, next(guess)) for _ in range(MOST + 50)]
    assert answers[:MOST] == [INACTIVE] * MOST
    assert {(status, str(body)) for status, body in answers[MOST:]} == {(429, str(answers[-1][1]))}
    assert answers[-1][1]["error"] == "slow_down"
    for name in ("access_token", "refresh_token"):
        status, described = await ask(limited, client, issued[name])
        assert (status, described["active"]) == (200, True)
        assert await ask(limited, other, issued[name]) == INACTIVE
    assert await ask(limited, other, next(guess)) == INACTIVE


async def test_what_was_issued_once_is_no_guess(limited: TokenService) -> None:
    """Expired tokens and other clients' tokens do not count as guesses."""
    client = await limited.world.client(access_token_lifetime=timedelta(seconds=1))
    other = await limited.world.client()
    expired, foreign = await limited.tokens(client), await limited.tokens(other)
    async with asyncio.timeout(60):
        while await ask(limited, client, expired["access_token"]) != INACTIVE:
            await asyncio.sleep(0.1)
    for _ in range(MOST // 2 + 1):
        assert await ask(limited, client, expired["access_token"]) == INACTIVE
        assert await ask(limited, client, foreign["access_token"]) == INACTIVE
    assert await ask(limited, client, "x") == INACTIVE


async def test_refresh_tokens_that_are_well_formed_are_guesses_too(limited: TokenService) -> None:
    """A well-formed token counts as a guess, too: anyone can make one."""
    client, refused = await limited.world.client(), 0
    for _ in range(MOST + 10):
        token = RefreshToken.of(secrets.token_bytes(RANDOM_BYTES), secrets.token_bytes(FAMILY_SECRET_BYTES))
        refused += (await ask(limited, client, token.value))[0] == 429
    assert refused == 10


async def test_processes_share_what_they_have_counted(limited: TokenService) -> None:
    """Processes share the count after a moment."""
    client, guess = await limited.world.client(), guesses("at_" + "A" * 200)
    for _ in range(MOST):
        await ask(limited, client, next(guess))
    asked = 0
    assert limited.http.app is not None
    async with serve_tokens(limited.http.app[SETTINGS], limited.world) as second, asyncio.timeout(60):
        while (await ask(second, client, next(guess)))[0] == 200:
            asked += 1
            await asyncio.sleep(0.01)
    assert asked < MOST


async def test_a_process_that_is_alone_allows_fewer_and_some(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """While Redis is down, a process counts by itself, and valid tokens are served."""
    async with (
        redis_proxy(redis_url, tmp_path_factory.mktemp("r")) as (redis, url),
        open_world(settings_for(database_url, redis_url)) as world,
        serve_tokens(settings_for(database_url, url), world) as tokens,
        asyncio.timeout(60),
    ):
        client, guess = await world.client(), guesses("at_" + "A" * 200)
        issued = await tokens.tokens(client)
        redis.break_off()
        asked = 0
        while (await ask(tokens, client, next(guess)))[0] == 200:
            asked += 1
            await asyncio.sleep(0.01)
        assert 0 < asked <= MOST // 2
        assert (await ask(tokens, client, issued["access_token"]))[1]["active"]
        redis.heal()
        while (await ask(tokens, client, next(guess)))[0] == 429:
            await asyncio.sleep(0.01)


async def test_where_limits_are_off_nobody_waits(database_url: str, redis_url: str) -> None:
    """`OSTIARY_RATE_LIMITS=off`."""
    settings = settings_for(database_url, redis_url, rate_limits="off")
    async with open_world(settings) as world, serve_tokens(settings, world) as tokens:
        client = await world.client()
        assert {(await ask(tokens, client, "x"))[0] for _ in range(MOST + 10)} == {200}
