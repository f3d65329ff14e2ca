"""Redis answers nonsense or not at all, is empty again, or holds what another release wrote."""

import asyncio
import json
import signal
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.paths import Service
from tests.authorization import is_login
from tests.fault.checker import REDEEM, gains_hold, retries_succeed, violations
from tests.fault.defects import caught
from tests.fault.history import Done, Lost, Rejected
from tests.fault.load import Load
from tests.fault.person import signed_in
from tests.fault.topology import RunningTopology

REPLICAS = {Service.TOKEN: 1, Service.AUTHORIZATION: 1}
DEFECTS = "redis.protocol_errors_escape,redis.records_raise_when_unreadable"
CODES = 12
HALTED = 2.0  # seconds that Redis is halted


async def _redeem_all(load: Load, codes: list[str]) -> None:
    for outcome in await asyncio.gather(*map(load.redeem, codes)):
        assert isinstance(outcome, Done)
        await load.introspect(outcome.body["access_token"])
    assert retries_succeed(load.history, REDEEM) == []
    assert gains_hold(load.history) == []
    assert violations(load.history) == []


@caught(DEFECTS)
async def test_an_answer_that_no_server_sends(deployment: RunningTopology) -> None:
    """The request gets a 503 rather than a 500, and its repetition succeeds."""
    load = await deployment.load(seed=20)
    codes = await deployment.codes(load, CODES)
    with deployment.verdict():
        deployment.proxy.garble_answers(3)
        try:
            await _redeem_all(load, codes)
        finally:
            deployment.proxy.garble_answers(0)


@caught()
async def test_a_server_that_is_halted(deployment: RunningTopology) -> None:
    """Every request behind it is answered before its client gives up, and repetitions succeed."""
    load = await deployment.load(seed=21)
    codes = await deployment.codes(load, CODES)
    process = deployment.redis.process
    assert process
    process.send_signal(signal.SIGSTOP)
    redeeming = asyncio.create_task(_redeem_all(load, codes))
    await asyncio.sleep(HALTED)  # the length of the fault, and no wait for anything
    process.send_signal(signal.SIGCONT)
    await redeeming
    assert not any(isinstance(each.outcome, Lost) for each in load.history.operations)


@caught()
async def test_a_server_that_returns_without_its_data(deployment: RunningTopology) -> None:
    """Codes from before are refused at most, and new ones are redeemed without a restart."""
    load = await deployment.load(seed=22)
    for _ in range(3):
        (code,) = await deployment.codes(load, 1)
        await deployment.redis.stop()
        redeeming = asyncio.create_task(load.redeem(code))
        await deployment.redis.start()
        assert await redeeming == Rejected("invalid_grant")
        (code,) = await deployment.codes(load, 1)
        assert isinstance(await load.redeem(code), Done)
    assert violations(load.history) == []


def _of_another_version(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "v": 2}


def _without_end(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "expires_at"}


@caught(DEFECTS)
@pytest.mark.parametrize("rewrite", [_of_another_version, _without_end])
async def test_what_another_release_wrote_counts_as_absent(
    deployment: RunningTopology, rewrite: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """A code is refused and a session signs in again, and nothing is answered with a 500."""
    load = await deployment.load(seed=23)
    (code,) = await deployment.codes(load, 1)
    with deployment.verdict():
        person = await signed_in(deployment, load)
        assert await _rewrite_all(deployment, rewrite) >= 2
        assert await load.redeem(code) == Rejected("invalid_grant")
        assert await person.use_copy() == Rejected("login_required")
        assert is_login(await person.browser.authorize(load.client))
        assert violations(load.history) == []


async def _rewrite_all(
    deployment: RunningTopology, rewrite: Callable[[dict[str, Any]], dict[str, Any]]
) -> int:
    """Rewrite every record in Redis. Returns how many were changed."""
    changed = 0
    async with Redis(unix_socket_path=str(deployment.sockets / "valkey.sock")) as redis:
        async for key in redis.scan_iter(_type="STRING"):
            try:
                record = json.loads(await redis.get(key) or b"")
            except ValueError:  # a counter or a mark
                continue
            if isinstance(record, dict) and (new := rewrite(record)) != record:
                await redis.set(key, json.dumps(new), keepttl=True)
                changed += 1
    return changed
