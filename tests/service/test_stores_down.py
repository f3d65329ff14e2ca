"""Outages of stores: 503, never a verdict, while independent operations continue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from shared.oauth.client.record import Client
from shared.oauth.tokens.handle import digest
from shared.oauth.tokens.refresh_token import parse_refresh_token
from shared.paths import INTROSPECTION
from tests.deployment import TokenService, open_world, serve_tokens, settings_for
from tests.fault_proxy import FaultProxy, postgresql_proxy, redis_proxy
from tests.service.test_client_authentication import EC_KEY, _claims, _form, _jwks, _signed

Act = Callable[["FragileTokenService"], Awaitable[ClientResponse]]


@dataclass(frozen=True, slots=True)
class FragileTokenService:
    """A token service whose stores can be taken away, and what a client has of it."""

    tokens: TokenService
    postgresql: FaultProxy
    redis: FaultProxy
    client: Client
    signing_client: Client
    code: str
    issued: Mapping[str, Any]


@pytest.fixture
async def deployment(
    module_database_url: str, module_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FragileTokenService]:
    """Only the service's connections go through the proxies."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = _short_folder(tmp_path_factory)
        postgresql, database_url = await enter(postgresql_proxy(module_database_url, folder))
        redis, redis_url = await enter(redis_proxy(module_redis_url, folder))
        world = await enter(open_world(settings_for(module_database_url, module_redis_url)))
        tokens = await enter(serve_tokens(settings_for(database_url, redis_url), world))
        client = await world.client()
        signing_client = await world.client(
            token_endpoint_auth_method="private_key_jwt", jwks=_jwks(EC_KEY), secrets=()
        )
        code = await world.add_code((await world.sign_in()).code(client.client_id))
        assert (await tokens.token(None, _form(_signed(_claims(signing_client))))).status == 200
        yield FragileTokenService(
            tokens, postgresql, redis, client, signing_client, code, await tokens.tokens(client)
        )


def _short_folder(factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("f")
    assert len(str(folder)) < 80  # the path of a unix socket ends at 103
    return folder


async def _redeem(of: FragileTokenService) -> ClientResponse:
    return await of.tokens.redeem(of.client, of.code)


async def _refresh(of: FragileTokenService) -> ClientResponse:
    return await of.tokens.refresh(of.client, of.issued["refresh_token"])


async def _client_credentials(of: FragileTokenService) -> ClientResponse:
    return await of.tokens.token(of.client, {"grant_type": "client_credentials"})


async def _assertion(of: FragileTokenService) -> ClientResponse:
    return await of.tokens.token(None, _form(_signed(_claims(of.signing_client))))


async def _userinfo(of: FragileTokenService) -> ClientResponse:
    return await of.tokens.userinfo(of.issued["access_token"])


async def _introspect(of: FragileTokenService) -> ClientResponse:
    return await of.tokens.post(INTROSPECTION.path, {"token": of.issued["access_token"]}, of.client)


async def _introspect_refresh(of: FragileTokenService) -> ClientResponse:
    return await of.tokens.post(INTROSPECTION.path, {"token": of.issued["refresh_token"]}, of.client)


async def _revoke(of: FragileTokenService) -> ClientResponse:
    return await of.tokens.revoke(of.client, of.issued["access_token"])


async def _revoke_refresh(of: FragileTokenService) -> ClientResponse:
    return await of.tokens.revoke(of.client, of.issued["refresh_token"])


async def _unknown_sealing_key(of: FragileTokenService) -> ClientResponse:
    value = of.issued["access_token"]
    return await of.tokens.userinfo(f"at_{value[3:5]}xxxx{value[9:]}")


async def _unknown_client(of: FragileTokenService) -> ClientResponse:
    form = {"grant_type": "client_credentials", "client_id": "nobody"}
    return await of.tokens.token(None, form)


ACTS: tuple[Act, ...] = (
    _redeem,
    _refresh,
    _client_credentials,
    _assertion,
    _userinfo,
    _introspect,
    _introspect_refresh,
    _revoke,
    _revoke_refresh,
)


async def _is_503(response: ClientResponse) -> bool:
    if response.status != 503:
        return False
    answer = await response.json()
    assert answer["error"] == "temporarily_unavailable"
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["Cache-Control"] == "no-store"
    return True


@pytest.mark.parametrize("act", ACTS)
async def test_redis_away(deployment: FragileTokenService, act: Act) -> None:
    """Without Redis, codes and assertions get 503; everything else works, and codes work afterwards."""
    deployment.redis.break_off()
    waits = act in (_redeem, _assertion)
    response = await act(deployment)
    assert await _is_503(response) if waits else response.status == 200
    deployment.redis.heal()
    if waits:
        assert (await act(deployment)).status == 200


@pytest.mark.parametrize("act", [*ACTS, _unknown_sealing_key, _unknown_client])
async def test_postgresql_away(deployment: FragileTokenService, act: Act) -> None:
    """Without PostgreSQL, requests get 503 within a second, never a verdict."""
    deployment.postgresql.break_off()
    async with asyncio.timeout(20):
        while not await _is_503(response := await act(deployment)):
            assert act in (_client_credentials, _assertion), await response.text()
            assert response.status == 200
    deployment.postgresql.heal()
    if act not in (_unknown_sealing_key, _unknown_client):
        assert (await act(deployment)).status == 200


async def test_a_refresh_that_was_refused_was_not_rotated(deployment: FragileTokenService) -> None:
    """A refresh that got a 503 was not rotated."""
    deployment.postgresql.break_off()
    assert await _is_503(await _refresh(deployment))
    deployment.postgresql.heal()
    row = await deployment.tokens.world.database.row(
        "SELECT generation FROM refresh_families WHERE family_hash = $1", _family_hash(deployment)
    )
    assert row is not None
    assert row["generation"] == 0


def _family_hash(of: FragileTokenService) -> bytes:
    token = parse_refresh_token(of.issued["refresh_token"])
    assert token is not None
    return token.family_hash


async def test_a_revocation_that_was_not_done_is_not_acknowledged(
    deployment: FragileTokenService,
) -> None:
    """RFC 7009 §2.2.1: 503, and the token is as it was."""
    deployment.postgresql.break_off()
    assert await _is_503(await _revoke(deployment))
    deployment.postgresql.heal()
    assert (await _userinfo(deployment)).status == 200
    assert (await _revoke(deployment)).status == 200
    assert (await _userinfo(deployment)).status == 401


async def test_a_lost_answer_to_a_redemption_is_asked_for_again(
    deployment: FragileTokenService,
) -> None:
    """After a lost answer, the repeated statement is the same redemption."""
    world = deployment.tokens.world
    before = await world.audited("grant_made")
    deployment.postgresql.lose_answer_to(digest(deployment.code))
    response = await _redeem(deployment)
    answer = await response.json()
    assert deployment.postgresql.has_lost_it
    assert response.status == 200
    assert await world.audited("grant_made") == before + 1
    assert (await deployment.tokens.userinfo(answer["access_token"])).status == 200
    assert (await deployment.tokens.refresh(deployment.client, answer["refresh_token"])).status == 200


async def test_a_lost_answer_to_a_rotation_is_asked_for_again(deployment: FragileTokenService) -> None:
    """The client sees one successor, and it is current."""
    deployment.postgresql.lose_answer_to(_family_hash(deployment))
    response = await _refresh(deployment)
    answer = await response.json()
    assert deployment.postgresql.has_lost_it
    assert response.status == 200
    again = await (await _refresh(deployment)).json()
    assert again["refresh_token"] == answer["refresh_token"]
    assert (await deployment.tokens.refresh(deployment.client, answer["refresh_token"])).status == 200
