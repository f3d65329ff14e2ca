"""Limits on stored requests: by address before a sign-in, and by client for pushed requests."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from services.authorization.app import mount
from services.authorization.request.storage_limits import BY_ADDRESS, BY_CLIENT
from shared.oauth.client.record import Client
from shared.paths import AUTHORIZATION, PUSHED_AUTHORIZATION_REQUEST
from shared.server.app import application
from tests.authorization import a_request
from tests.builders import World
from tests.deployment import basic, open_world, settings_for
from tests.planted import planted
from tests.planted.redis import rate_limits_never_wait
from tests.served import Served

HERE, ELSEWHERE = "192.0.2.7", "198.51.100.7"
MANY = 150
LONG = dict.fromkeys(("login_hint", "acr_values", "ui_locales"), "x" * 16_000)
URI_LONG = "x" * 5_000


class Stranger:
    """Sends authorization requests without a cookie, from an address of its choice."""

    def __init__(self, http: TestClient[web.Request, web.Application], world: World) -> None:
        self._http = http
        self.world = world

    async def authorize(self, client: Client, address: str, **changes: str) -> ClientResponse:
        return await self._http.get(
            AUTHORIZATION.path,
            params=a_request(client, **changes),
            headers={"X-Forwarded-For": address},
            allow_redirects=False,
        )

    async def push(self, client: Client, address: str, **changes: str) -> ClientResponse:
        credentials = {} if client.is_public else basic(client.client_id)
        headers = {"X-Forwarded-For": address, **credentials}
        form = a_request(client, **changes)
        return await self._http.post(PUSHED_AUTHORIZATION_REQUEST.path, data=form, headers=headers)


@pytest.fixture
async def stranger(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stranger]:
    """An authorization service with its rate limits on, and periods that no test outlives."""
    for name, rate in (("BY_ADDRESS", BY_ADDRESS), ("BY_CLIENT", BY_CLIENT)):
        endless = replace(rate, period=timedelta(days=36500))
        monkeypatch.setattr(f"services.authorization.request.storage_limits.{name}", endless)
    settings = settings_for(database_url, redis_url)
    async with open_world(settings) as world, TestClient(Served(application(settings, mount))) as http:
        http.session.cookie_jar.clear()
        yield Stranger(http, world)


@planted(rate_limits_never_wait)
async def test_interactions_of_an_address_are_limited(stranger: Stranger) -> None:
    """An address is limited by KiB a minute; other addresses are not affected."""
    client = await stranger.world.client()
    answers = [
        await stranger.authorize(client, HERE, login_hint=URI_LONG) for _ in range(BY_ADDRESS.most // 5)
    ]
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {303, 429}
    assert statuses[-1] == 429
    assert statuses.count(303) * len(URI_LONG) <= BY_ADDRESS.most * 1024
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert (await stranger.authorize(client, ELSEWHERE)).status == 303


@planted(rate_limits_never_wait)
async def test_pushed_requests_of_a_client_are_limited(stranger: Stranger) -> None:
    """A client is limited across addresses; other clients are not affected."""
    client, other = await stranger.world.client(), await stranger.world.client()
    answers = [await stranger.push(client, HERE, **LONG) for _ in range(MANY)]
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {201, 429}
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert (await stranger.push(client, ELSEWHERE)).status == 429
    assert (await stranger.push(other, HERE)).status == 201


@planted(rate_limits_never_wait)
@pytest.mark.parametrize("registered_itself", [False, True])
async def test_pushed_requests_of_strangers_count_for_their_address(
    stranger: Stranger, registered_itself: bool
) -> None:
    """Public and self-registered clients count for the address."""
    if registered_itself:
        clients = [await stranger.world.client(is_dynamically_registered=True) for _ in range(2)]
    else:
        clients = [await stranger.world.public_client() for _ in range(2)]
    statuses = [(await stranger.push(clients[0], HERE, **LONG)).status for _ in range(40)]
    assert set(statuses) == {201, 429}
    assert (await stranger.push(clients[1], HERE)).status == 429
    assert (await stranger.push(clients[0], ELSEWHERE)).status == 201
