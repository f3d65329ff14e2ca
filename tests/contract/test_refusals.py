"""`Refusals` with the real Redis."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from shared.oauth.refusal import Reason, Refusal
from shared.store import MOST_REFUSALS
from shared.store.redis.refusals import RedisRefusals
from shared.store.redis.transport.client import RedisClient
from tests.contract.conftest import in_every_layout
from tests.planted import planted
from tests.planted.refusals import refusals_as_they_arrive, refusals_without_end

REFUSAL = Refusal(
    at=datetime(2026, 11, 28, 12, 0, 0, 250_000, tzinfo=UTC),
    endpoint="/oidc/oauth2/auth",
    error="invalid_request",
    detail="redirect_uri is not registered; sent: https://a.test/; registered: none",
    reason=Reason.REDIRECT_URI,
    sent="https://a.test/",
)


@in_every_layout
async def test_refusals_come_back_newest_first(redis: RedisClient) -> None:
    """Each client has its own, as they were added."""
    refusals, one, two = RedisRefusals(redis), uuid4().hex, uuid4().hex
    plain = replace(REFUSAL, reason=None, sent=None, error="slow_down")
    await refusals.add({one: [REFUSAL, plain], two: [plain]})
    await refusals.add({one: [REFUSAL]})
    assert await refusals.of_client(one) == [REFUSAL, plain, REFUSAL]
    assert await refusals.of_client(two) == [plain]
    assert await refusals.of_client(uuid4().hex) == []


@planted(refusals_as_they_arrive)
async def test_processes_write_refusals_in_any_order(redis: RedisClient) -> None:
    """Each writes once a second, so an older refusal may arrive later."""
    refusals, client_id = RedisRefusals(redis), uuid4().hex
    first, second, third = (replace(REFUSAL, at=REFUSAL.at + timedelta(milliseconds=n)) for n in range(3))
    await refusals.add({client_id: [first, third]})
    await refusals.add({client_id: [second]})
    assert await refusals.of_client(client_id) == [third, second, first]


@planted(refusals_without_end)
async def test_only_the_last_refusals_are_kept(redis: RedisClient) -> None:
    """Their number and their lifetime are limited."""
    refusals, client_id = RedisRefusals(redis), uuid4().hex
    for number in range(MOST_REFUSALS + 5):
        await refusals.add({client_id: [replace(REFUSAL, detail=str(number))]})
    kept = [refusal.detail for refusal in await refusals.of_client(client_id)]
    assert kept == [str(number) for number in range(MOST_REFUSALS + 4, 4, -1)]
    (key,) = await redis.execute("KEYS", "{refusals:*}")
    assert await redis.execute("LLEN", key) == MOST_REFUSALS
    assert 0 < await redis.execute("PTTL", key) <= 7 * 24 * 3600 * 1000
