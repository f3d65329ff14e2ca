"""A redemption that got a 503 or no answer can be repeated."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientResponse

from services.token.endpoints import token as token_module
from services.token.grants import redemption
from shared.live import clock
from shared.live.randomness import new_handle
from shared.model import Approved, DeviceCode
from shared.oauth.client.record import Client
from shared.oauth.supported import DEVICE_CODE
from shared.oauth.tokens.handle import Kind, digest
from shared.store import KEPT_FOR, Unavailable
from tests.deployment import TokenService, open_world, serve_tokens, settings_for
from tests.fault_proxy import FaultProxy, postgresql_proxy, redis_proxy
from tests.planted import planted
from tests.planted.redemption import (
    believes_every_client,
    ignores_deadlines,
    keeps_no_attempt,
    knows_no_overlap,
    leaves_the_family,
    spends_for_nobody,
)

AT_ONCE = 50
HANG_GUARD = 30  # seconds

Redeem = Callable[[], Awaitable[ClientResponse]]


@dataclass(frozen=True, slots=True)
class InterruptedTokenService:
    """A token service behind proxies that break, and a client of it."""

    tokens: TokenService
    postgresql: FaultProxy
    redis: FaultProxy
    client: Client

    async def code(self, client: Client | None = None, **fields: Any) -> str:
        """A code in flight."""
        sign_in = await self.tokens.world.sign_in()
        return await self.tokens.world.add_code(sign_in.code((client or self.client).client_id, **fields))

    async def device_code(self) -> str:
        """A device code that its user has approved."""
        codes, value = self.tokens.world.stores.device_codes, new_handle(Kind.DEVICE_CODE)
        sign_in, scope = await self.tokens.world.sign_in(), ("openid", "offline_access")
        given = sign_in.authorization(self.client.client_id, scope=scope, nonce=None)
        authorization = await self.tokens.world.issued(given)
        expires_at = clock.now() + timedelta(minutes=10)
        pending = DeviceCode(
            client_id=self.client.client_id, scope=scope, user_code=value[-9:], expires_at=expires_at
        )
        await codes.add(digest(value), pending, timedelta(minutes=10), 10)
        await codes.decide(digest(value), pending, Approved(authorization, sign_in.user.epoch))
        return value

    def redeems(self, code: str) -> Redeem:
        """The request of the client for a code or a device code."""
        if code.startswith(str(Kind.AUTHORIZATION_CODE)):
            return lambda: self.tokens.redeem(self.client, code)
        form = {"grant_type": DEVICE_CODE, "device_code": code}
        return lambda: self.tokens.token(self.client, form)

    async def is_refreshed_twice(self, response: ClientResponse) -> bool:
        """Whether an answer has a refresh token that can be used, and its successor too."""
        answer = await response.json()
        for _ in range(2):
            response = await self.tokens.refresh(self.client, answer["refresh_token"])
            if response.status != 200:
                return False
            answer = await response.json()
        return (await self.tokens.userinfo(answer["access_token"])).status == 200


@pytest.fixture
async def deployment(
    module_database_url: str, module_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[InterruptedTokenService]:
    """Only the service's connections go through the proxies."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = _short_folder(tmp_path_factory)
        postgresql, database_url = await enter(postgresql_proxy(module_database_url, folder))
        redis, redis_url = await enter(redis_proxy(module_redis_url, folder))
        world = await enter(open_world(settings_for(module_database_url, module_redis_url)))
        tokens = await enter(serve_tokens(settings_for(database_url, redis_url), world))
        client = await world.client(
            grant_types=("authorization_code", "refresh_token", "client_credentials", DEVICE_CODE)
        )
        yield InterruptedTokenService(tokens, postgresql, redis, client)


def _short_folder(factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("r")
    assert len(str(folder)) < 80  # the path of a unix socket ends at 103
    return folder


CODES = pytest.mark.parametrize("kind", [InterruptedTokenService.code, InterruptedTokenService.device_code])
Kinds = Callable[[InterruptedTokenService], Awaitable[str]]


@CODES
@planted(keeps_no_attempt, leaves_the_family)
async def test_a_redemption_that_was_committed_can_be_repeated(
    deployment: InterruptedTokenService, kind: Kinds
) -> None:
    """The answers to the statement and to its repetition are lost."""
    code = await kind(deployment)
    redeem = deployment.redeems(code)
    deployment.postgresql.lose_answer_to(digest(code), 2)
    assert (await redeem()).status == 503
    assert deployment.postgresql.has_lost_it
    response = await redeem()
    assert response.status == 200
    assert await deployment.is_refreshed_twice(response)


@CODES
async def test_a_redemption_that_was_not_committed_can_be_repeated(
    deployment: InterruptedTokenService, kind: Kinds
) -> None:
    """The service cannot distinguish this from the previous case."""
    code = await kind(deployment)
    redeem = deployment.redeems(code)
    deployment.postgresql.lose_answer_to(digest(code), 2, is_delivered=False)
    assert (await redeem()).status == 503
    response = await redeem()
    assert response.status == 200
    assert await deployment.is_refreshed_twice(response)


@CODES
@pytest.mark.parametrize("is_delivered", [True, False])
async def test_of_many_repetitions_one_gets_tokens(
    deployment: InterruptedTokenService, kind: Kinds, is_delivered: bool
) -> None:
    """Of many repetitions after an outage, one gets tokens."""
    code = await kind(deployment)
    redeem = deployment.redeems(code)
    deployment.postgresql.lose_answer_to(digest(code), 2, is_delivered=is_delivered)
    assert (await redeem()).status == 503
    responses = await asyncio.gather(*(redeem() for _ in range(AT_ONCE)))
    assert sorted(response.status for response in responses) == [200, *[400] * (AT_ONCE - 1)]


async def test_a_repetition_is_redeemed_once(deployment: InterruptedTokenService) -> None:
    """A request after the repetition is a replay, and revokes the grant."""
    redeem = deployment.redeems(code := await deployment.code())
    deployment.postgresql.lose_answer_to(digest(code), 2)
    assert (await redeem()).status == 503
    answer = await (await redeem()).json()
    assert (await redeem()).status == 400
    assert (await deployment.tokens.userinfo(answer["access_token"])).status == 401


async def test_only_the_same_client_with_the_same_verifier_takes_over(
    deployment: InterruptedTokenService,
) -> None:
    """Other clients and verifiers are refused without an effect."""
    code = await deployment.code()
    deployment.postgresql.lose_answer_to(digest(code), 2)
    assert (await deployment.redeems(code)()).status == 503
    stranger = await deployment.tokens.world.client()
    assert (await deployment.tokens.redeem(stranger, code)).status == 400
    assert (await deployment.tokens.redeem(deployment.client, code, code_verifier="x" * 43)).status == 400
    response = await deployment.redeems(code)()
    assert response.status == 200
    assert await deployment.is_refreshed_twice(response)


@planted(keeps_no_attempt)
async def test_a_code_lives_on_after_an_outage(
    deployment: InterruptedTokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would have expired a minute after it was made; then it is refused, and nothing is revoked."""
    code = await deployment.code()
    redeem = deployment.redeems(code)
    deployment.postgresql.lose_answer_to(digest(code), 2)
    assert (await redeem()).status == 503
    begun = clock.now()
    monkeypatch.setattr(clock, "now", lambda: begun + KEPT_FOR + timedelta(seconds=10))
    assert (await redeem()).status == 400
    row = await deployment.tokens.world.database.row(
        "SELECT revoked_at FROM grants WHERE code_hash = $1", digest(code)
    )
    assert row is not None
    assert row["revoked_at"] is None
    monkeypatch.setattr(clock, "now", lambda: begun + KEPT_FOR - timedelta(seconds=10))
    response = await redeem()
    assert response.status == 200


@planted(keeps_no_attempt)
async def test_tokens_that_cannot_be_made_can_be_asked_for_again(
    deployment: InterruptedTokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The grant is made, and the key to sign with is not confirmed."""
    redeem = deployment.redeems(await deployment.code())

    def away(*_: object, **__: object) -> None:
        raise Unavailable("no key is confirmed")

    with monkeypatch.context() as unsigned:
        unsigned.setattr(redemption, "tokens_of_user", away)
        assert (await redeem()).status == 503
    response = await redeem()
    assert response.status == 200
    assert await deployment.is_refreshed_twice(response)


async def test_with_redis_away_too_the_repetition_is_a_replay(deployment: InterruptedTokenService) -> None:
    """If Redis is down as well, the repetition is refused, and no tokens are left."""
    code = await deployment.code()
    redeem = deployment.redeems(code)
    find = deployment.tokens.world.stores.codes.find
    kept = await find(digest(code))
    assert kept
    deployment.postgresql.lose_answer_to(digest(code), 2)
    deployment.redis.lose_answer_to(b"APPEND", is_delivered=False)
    assert (await redeem()).status == 503
    assert (await redeem()).status == 400
    assert await find(digest(code)) == replace(kept, unknown_attempts=())


@planted(knows_no_overlap)
async def test_a_post_delivered_twice_gives_tokens_that_work(deployment: InterruptedTokenService) -> None:
    """A proxy sent it twice at once: one is answered, the other refused, and nothing is revoked."""
    database, redeem = deployment.tokens.world.database, deployment.redeems(await deployment.code())
    async with database.transaction() as connection:
        await connection.execute("SELECT FROM sessions FOR UPDATE")
        both = [asyncio.ensure_future(redeem()) for _ in range(2)]
        async with asyncio.timeout(HANG_GUARD):
            while not (row := await database.row(_WAITING)) or row["n"] < 2:
                assert not any(request.done() for request in both)
                await asyncio.sleep(0.01)
    responses = sorted(await asyncio.gather(*both), key=lambda response: response.status)
    assert [response.status for response in responses] == [200, 400]
    assert await deployment.is_refreshed_twice(responses[0])


_WAITING = """
SELECT count(*) AS n FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO grants%'"""


@planted(believes_every_client)
async def test_a_public_client_without_challenge_is_never_taken_for_a_retry(
    deployment: InterruptedTokenService,
) -> None:
    """Requests without a proof are never taken for a retry."""
    client = await deployment.tokens.world.public_client()
    code = await deployment.code(client, code_challenge=None)

    async def redeem() -> ClientResponse:
        return await deployment.tokens.redeem(client, code, code_verifier="")

    responses = await asyncio.gather(*(redeem() for _ in range(10)))
    assert sorted(response.status for response in responses) == [200, *[400] * 9]
    answer = await next(response for response in responses if response.status == 200).json()
    assert (await deployment.tokens.userinfo(answer["access_token"])).status == 401


@planted(ignores_deadlines)
async def test_a_request_past_its_deadline_spends_nothing(
    deployment: InterruptedTokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped process that resumes answers 503, and spends neither codes nor refresh tokens."""
    answer = await (await deployment.redeems(await deployment.code())()).json()
    spent, fresh = await deployment.code(), await deployment.code()
    given = await (await deployment.redeems(spent)()).json()
    await deployment.tokens.refresh(deployment.client, answer["refresh_token"])
    with monkeypatch.context() as stale:
        stale.setattr(token_module, "MAX_AGE", timedelta(seconds=-1))
        assert (await deployment.redeems(spent)()).status == 503
        assert (await deployment.redeems(fresh)()).status == 503
        assert (await deployment.tokens.refresh(deployment.client, answer["refresh_token"])).status == 503
    assert (await deployment.tokens.userinfo(given["access_token"])).status == 200
    assert (await deployment.redeems(fresh)()).status == 200
    assert (await deployment.tokens.refresh(deployment.client, answer["refresh_token"])).status == 200


@planted(spends_for_nobody)
async def test_a_request_whose_client_has_gone_spends_nothing(
    deployment: InterruptedTokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is closed when the code would be spent: it can be redeemed afterwards."""
    code = await deployment.code()
    with monkeypatch.context() as gone:
        gone.setattr(token_module, "is_abandoned", lambda _: True)
        with pytest.raises((ClientError, AssertionError)):
            assert (await deployment.redeems(code)()).status == 200
    assert (await deployment.redeems(code)()).status == 200
