"""Rotating a client secret without downtime."""

from datetime import timedelta

import pytest

from shared.live import clock
from shared.oauth.client.record import Client
from shared.operations.clients import get, rotate_secret
from shared.paths import TOKEN
from tests.builders import SECRET
from tests.deployment import TokenService, basic

FORM = {"grant_type": "client_credentials"}


async def _status(tokens: TokenService, client: Client, secret: str) -> int:
    answer = await tokens.http.post(TOKEN.path, data=FORM, headers=basic(client.client_id, secret))
    return answer.status


@pytest.mark.parametrize(("overlap", "old"), [(timedelta(0), 401), (timedelta(days=7), 200)])
async def test_the_old_secret_holds_as_long_as_the_overlap(
    tokens: TokenService, overlap: timedelta, old: int
) -> None:
    """The old secret is valid for the overlap, and the rotation is audited."""
    client = await tokens.world.client()
    before = await tokens.world.audited("client_secret_rotated")
    rotated = await rotate_secret(tokens.world.stores.clients, client, clock.now(), overlap)
    assert rotated.client_secret
    assert await _status(tokens, client, rotated.client_secret) == 200
    assert await _status(tokens, client, SECRET) == old
    assert await tokens.world.audited("client_secret_rotated") == before + 1


async def test_after_the_overlap_the_old_secret_is_wrong(tokens: TokenService) -> None:
    """Its time is over by the clock, whatever is stored."""
    client = await tokens.world.client()
    an_hour_ago = clock.now() - timedelta(hours=1)
    rotated = await rotate_secret(tokens.world.stores.clients, client, an_hour_ago, timedelta(minutes=59))
    assert rotated.client_secret
    assert await _status(tokens, client, SECRET) == 401
    assert await _status(tokens, client, rotated.client_secret) == 200


async def test_a_second_rotation_ends_the_first_overlap(tokens: TokenService) -> None:
    """Only the two newest secrets are valid."""
    clients, client, week = tokens.world.stores.clients, await tokens.world.client(), timedelta(days=7)
    first = await rotate_secret(clients, client, clock.now(), week)
    current = await get(clients, client.client_id)
    second = await rotate_secret(clients, current, clock.now(), week)
    assert first.client_secret
    assert second.client_secret
    assert [await _status(tokens, client, each) for each in (SECRET, first.client_secret)] == [401, 200]
    assert await _status(tokens, client, second.client_secret) == 200
