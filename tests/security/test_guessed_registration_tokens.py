"""Guessing registration access tokens and initial access tokens: RFC 7592, RFC 7591."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from services.client_registry.app import mount
from shared.issuing.client_authentication import RATE
from shared.live.randomness import new_handle
from shared.oauth.tokens.handle import Kind
from shared.paths import CLIENT_CONFIGURATION
from shared.server.app import application
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted import redis as defects
from tests.registry import URI, Registry
from tests.served import Served

HERE, ELSEWHERE = "192.0.2.7", "198.51.100.7"


@pytest.fixture(autouse=True)
def _one_period(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the period of the rate limits longer than any test."""
    monkeypatch.setattr("shared.server.resources.RATE", replace(RATE, period=timedelta(days=36500)))


@pytest.fixture
async def limited(database_url: str, redis_url: str) -> AsyncIterator[Registry]:
    """A client-registry service behind initial access tokens, with its rate limits on."""
    settings = settings_for(database_url, redis_url, registration="token")
    async with open_world(settings) as world, TestClient(Served(application(settings, mount))) as http:
        yield Registry(http, world)


async def _show(registry: Registry, client_id: str, token: str, address: str = HERE) -> ClientResponse:
    path = CLIENT_CONFIGURATION.path.replace("{client_id}", client_id)
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
    return await registry.http.get(path, headers=headers)


@planted(defects.rate_limits_never_wait)
async def test_guessed_registration_access_tokens_are_stopped(limited: Registry) -> None:
    """The guesser gets 429; the client elsewhere and other clients here are served."""
    client, other = await limited.register(), await limited.register()
    client_id, right = client["client_id"], client["registration_access_token"]
    for _ in range(RATE.most):
        wrong = new_handle(Kind.REGISTRATION_ACCESS_TOKEN)
        assert (await _show(limited, client_id, wrong)).status == 401
    refused = await _show(limited, client_id, right)
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert (await _show(limited, client_id, right, ELSEWHERE)).status == 200
    assert (await _show(limited, other["client_id"], other["registration_access_token"])).status == 200


@planted(defects.rate_limits_never_wait)
async def test_guessed_initial_access_tokens_are_stopped(limited: Registry) -> None:
    """The guesser gets 429; a valid token is accepted elsewhere."""
    good, here, elsewhere = await limited.token(), {"X-Forwarded-For": HERE}, {"X-Forwarded-For": ELSEWHERE}
    for _ in range(RATE.most):
        wrong = new_handle(Kind.INITIAL_ACCESS_TOKEN)
        assert (await limited.post(URI, wrong, **here)).status == 401
    assert (await limited.post(URI, good, **here)).status == 429
    assert (await limited.post(URI, good, **elsewhere)).status == 201


async def test_a_request_without_a_token_is_no_guess(limited: Registry) -> None:
    """A request without a token, to get the challenge, does not count as a failure."""
    for _ in range(RATE.most + 1):
        assert (await limited.post(URI)).status == 401
    assert (await limited.post(URI, await limited.token())).status == 201
