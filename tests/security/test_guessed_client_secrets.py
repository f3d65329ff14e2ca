"""Guessing client credentials: the guesser is throttled, and the honest client elsewhere is not."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from unittest.mock import patch

import jwt
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from cryptography.hazmat.primitives.asymmetric import ec

from services.authorization.app import mount as authorization
from services.token.app import mount as token
from shared.issuing.client_authentication import RATE
from shared.oauth.client import assertion
from shared.oauth.client import jwks as jwks_module
from shared.oauth.client.authentication import ASSERTION_TYPE
from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.client.secret import new_secret
from shared.oauth.tokens.jwt import SignedClaims
from shared.oauth.tokens.keys import public_jwk
from shared.paths import (
    DEVICE_AUTHORIZATION,
    INTROSPECTION,
    PUSHED_AUTHORIZATION_REQUEST,
    REVOCATION,
    TOKEN,
    Path,
)
from shared.server.app import application
from shared.store import Unavailable
from shared.store.postgres.clients import PostgresClients
from shared.store.redis.shared_counts import RedisSharedCounts
from tests.builders import REDIRECT_URI, World
from tests.deployment import ISSUER, basic, open_world, settings_for
from tests.planted import planted
from tests.planted import redis as defects
from tests.served import Served

_GUESSED = ec.generate_private_key(ec.SECP256R1())

HERE, ELSEWHERE = "192.0.2.7", "198.51.100.7"

FORMS = {
    TOKEN: {"grant_type": "client_credentials", "scope": "api:read"},
    INTROSPECTION: {"token": "at_unknown"},
    REVOCATION: {"token": "at_unknown"},
    DEVICE_AUTHORIZATION: {"scope": "openid"},
    PUSHED_AUTHORIZATION_REQUEST: {"response_type": "code", "scope": "openid", "redirect_uri": REDIRECT_URI},
}
GRANTS = ("authorization_code", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code")


class SecretGuesser:
    """Sends forms to both services, from an address of its choice."""

    def __init__(self, http: TestClient[web.Request, web.Application], world: World) -> None:
        self._http = http
        self.world = world

    async def ask(
        self, path: Path, client_id: str, secret: str | None = None, address: str = HERE
    ) -> ClientResponse:
        """As the client, with its own secret unless another is given."""
        credentials = basic(client_id) if secret is None else basic(client_id, secret)
        headers = {**credentials, "X-Forwarded-For": address}
        return await self._http.post(path.path, data=FORMS[path], headers=headers)

    async def send(self, form: Mapping[str, str]) -> ClientResponse:
        """A form with its own credentials, to the token endpoint."""
        return await self._http.post(TOKEN.path, data=form, headers={"X-Forwarded-For": HERE})

    async def statuses(self, path: Path, client_id: str, times: int) -> list[int]:
        """The answers to wrong secrets."""
        return [(await self.ask(path, client_id, f"wrong {number}")).status for number in range(times)]


@pytest.fixture(autouse=True)
def _one_period(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the period of the rate limits longer than any test."""
    endless = replace(RATE, period=timedelta(days=36500))
    monkeypatch.setattr("shared.server.resources.RATE", endless)


@pytest.fixture
async def guesser(database_url: str, redis_url: str) -> AsyncIterator[SecretGuesser]:
    """Both services in one process, with their rate limits on."""
    settings = settings_for(database_url, redis_url)
    async with (
        open_world(settings) as world,
        TestClient(Served(application(settings, token, authorization))) as http,
    ):
        yield SecretGuesser(http, world)


async def _client(guesser: SecretGuesser) -> Client:
    return await guesser.world.client(grant_types=GRANTS, scope=("openid", "api:read"))


@planted(defects.rate_limits_never_wait, defects.failures_lock_the_client)
@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.path.rsplit("/", 1)[-1])
async def test_wrong_secrets_in_a_row_are_stopped(guesser: SecretGuesser, path: Path) -> None:
    """429 with Retry-After for the guesser, even with the right secret; the client elsewhere is answered."""
    client = await _client(guesser)
    assert await guesser.statuses(path, client.client_id, RATE.most) == [401] * RATE.most
    refused = await guesser.ask(path, client.client_id)
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert (await refused.json())["error"] == "slow_down"
    assert (await guesser.ask(path, client.client_id, address=ELSEWHERE)).ok
    assert (await guesser.ask(path, (await _client(guesser)).client_id)).ok


async def test_every_endpoint_counts_for_the_others(guesser: SecretGuesser) -> None:
    """Failures at all endpoints count together."""
    client = await _client(guesser)
    paths = list(FORMS)
    for number in range(RATE.most):
        assert (await guesser.ask(paths[number % len(paths)], client.client_id, "wrong")).status == 401
    for path in paths:
        assert (await guesser.ask(path, client.client_id)).status == 429


async def test_an_unknown_client_is_stopped_like_a_known_one(guesser: SecretGuesser) -> None:
    """The limit does not reveal which clients exist."""
    assert await guesser.statuses(TOKEN, "nobody", RATE.most + 1) == [401] * RATE.most + [429]


async def test_a_success_costs_redis_nothing(guesser: SecretGuesser) -> None:
    """A client that authenticates is never counted."""
    client = await _client(guesser)
    with patch.object(RedisSharedCounts, "add", side_effect=AssertionError) as add:
        for _ in range(RATE.most + 5):
            assert (await guesser.ask(TOKEN, client.client_id)).status == 200
    assert not add.called


async def test_guesses_are_stopped_while_redis_is_down(guesser: SecretGuesser) -> None:
    """While Redis is down, a process allows fewer failures, and the honest client is served."""
    client, statuses = await _client(guesser), list[int]()
    with patch.object(RedisSharedCounts, "add", side_effect=Unavailable("Redis: away")):
        while 429 not in statuses and len(statuses) <= RATE.most:
            statuses += await guesser.statuses(TOKEN, client.client_id, 1)
        assert statuses[-1] == 429
        assert (await guesser.ask(TOKEN, client.client_id, address=ELSEWHERE)).status == 200


async def test_an_outage_counts_against_nobody(guesser: SecretGuesser) -> None:
    """A 503 does not count as a failure."""
    client = await _client(guesser)
    for _ in range(RATE.most + 1):
        with patch.object(PostgresClients, "find", side_effect=Unavailable("PostgreSQL: away")):
            assert (await guesser.ask(TOKEN, client.client_id, "wrong")).status == 503
    assert (await guesser.ask(TOKEN, client.client_id)).status == 200


@planted(defects.an_unknown_client_takes_longer)
async def test_an_unknown_client_costs_what_a_wrong_secret_does(guesser: SecretGuesser) -> None:
    """A failure costs one round trip to PostgreSQL, whether the client is cached or not."""
    client, disabled = await _client(guesser), await _client(guesser)
    await guesser.world.stores.clients.disable(disabled.client_id)
    assert (await guesser.ask(TOKEN, client.client_id)).status == 200  # from now on it is in memory
    read = PostgresClients.find
    asked: list[str] = []

    async def counted(self: PostgresClients, client_id: str) -> Client | None:
        asked.append(client_id)
        return await read(self, client_id)

    with patch.object(PostgresClients, "find", counted):
        for client_id in ("nobody", client.client_id, disabled.client_id) * 3:
            assert (await guesser.ask(TOKEN, client_id, "wrong")).status == 401
    assert sorted(asked) == sorted(["nobody", client.client_id, disabled.client_id] * 3)


def _assertion(client_id: str, alg: str, **header: str) -> dict[str, str]:
    """A form with an assertion that no client signed."""
    key: Any = _GUESSED if alg == "ES256" else "guessed" * 10
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": "x"}
    return {
        **FORMS[TOKEN],
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": jwt.encode(claims, key, alg, headers=header),
    }


@planted(defects.an_unknown_client_verifies_nothing)
@pytest.mark.parametrize(
    ("method", "alg", "header"),
    [
        ("private_key_jwt", "ES256", {}),
        ("private_key_jwt", "ES256", {"kid": "k"}),
        ("client_secret_jwt", "HS256", {}),
    ],
)
async def test_an_unknown_client_costs_what_a_wrong_assertion_does(
    guesser: SecretGuesser, method: str, alg: str, header: dict[str, str]
) -> None:
    """An unknown client costs one round trip and one signature check, as a cached one does, and gets 401."""
    jwks = {"keys": [{**public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()), "kid": "k"}]}
    secret = ClientSecret(hash=bytes(32), value="k" * 64)
    is_public = method == "private_key_jwt"
    client = await guesser.world.client(
        token_endpoint_auth_method=method,
        grant_types=GRANTS,
        **({"jwks": jwks, "secrets": ()} if is_public else {"secrets": (secret,)}),
    )
    assert (await guesser.send(_assertion(client.client_id, alg, **header))).status == 401  # now in memory
    work = Counter[str]()
    where = (jwks_module, "verify") if is_public else (assertion, "verify_with_secret")
    read, verified = PostgresClients.find, getattr(*where)

    async def counted(self: PostgresClients, client_id: str) -> Client | None:
        work["reads"] += 1
        return await read(self, client_id)

    def counting(*arguments: Any) -> SignedClaims:
        work["verifications"] += 1
        return cast(SignedClaims, verified(*arguments))

    costs = []
    with patch.object(PostgresClients, "find", counted), patch.object(*where, counting):
        for client_id in (client.client_id, "nobody"):
            work.clear()
            assert (await guesser.send(_assertion(client_id, alg, **header))).status == 401
            costs.append(dict(work))
    assert costs == [{"reads": 1, "verifications": 1}] * 2


async def test_nobody_signs_as_an_unknown_client(guesser: SecretGuesser) -> None:
    """The stand-in keys for unknown clients are public, and authenticate nobody."""
    key = ec.derive_private_key(1, ec.SECP256R1())
    with patch(f"{__name__}._GUESSED", key):
        form = _assertion("nobody", "ES256")
    response = await guesser.send(form)
    assert (response.status, (await response.json())["error"]) == (401, "invalid_client")


async def test_a_secret_that_was_just_rotated_holds(guesser: SecretGuesser) -> None:
    """A secret that the cache refuses is checked with PostgreSQL."""
    client = await _client(guesser)
    assert (await guesser.ask(TOKEN, client.client_id)).status == 200
    with patch("shared.live.client_cache.ClientCache.changed"):
        rotated = replace(client, secrets=(new_secret(client, "another secret, just made"),))
        await guesser.world.stores.clients.replace(rotated)
        response = await guesser.ask(TOKEN, client.client_id, "another secret, just made")
    assert response.status == 200
