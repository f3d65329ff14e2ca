"""PostgreSQL answers late or not at all: a client that repeats requests after a 503 loses nothing."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import pytest
from aiohttp import ClientSession

from shared.live import clock
from shared.operations.keys import rotate_keys
from shared.paths import INTROSPECTION
from tests.fault.checker import REDEEM, REFRESH, gains_hold, retries_succeed, violations
from tests.fault.defects import caught
from tests.fault.history import Done, Rejected, Retryable
from tests.fault.injections import (
    Fault,
    absent_standby,
    halted_server,
    lasting,
    locked_grants,
    locked_tables,
    read_only_server,
)
from tests.fault.load import Load
from tests.fault.topology import PASSWORD, RunningTopology, backends, until_waiting

CODES = 20
POOL = 16  # connections of a process

LEFT_RUNNING = (
    "postgres.never_gives_up_on_the_server,postgres.asks_for_no_cancellation,postgres.gives_up_places_at_once"
)

LOCKED = 11.0  # seconds; these are the lengths of the faults, and no waits for anything
HALTED = 6.0


async def _prepare(deployment: RunningTopology, load: Load) -> list[str]:
    """Refresh tokens. The statements of both grants are prepared, so none waits while it is prepared."""
    redeemed = await asyncio.gather(*map(load.redeem, await deployment.codes(load, CODES)))
    tokens = [outcome.body["refresh_token"] for outcome in redeemed if isinstance(outcome, Done)]
    refreshed = await asyncio.gather(*map(load.refresh, tokens))
    successors = [outcome.body["refresh_token"] for outcome in refreshed if isinstance(outcome, Done)]
    assert len(successors) == CODES
    await _prepare_redemption(deployment, load)
    return successors


async def _prepare_redemption(deployment: RunningTopology, load: Load) -> None:
    """Redeem codes at once, however slow the machine is: the connections that are used next are prepared."""
    codes, operator = await deployment.codes(load, CODES), await deployment.operator()
    async with locked_grants(deployment):
        redeeming = [asyncio.create_task(load.redeem(code)) for code in codes]
        with suppress(TimeoutError):  # each waits for a second at most
            async with asyncio.timeout(0.7):
                await until_waiting(operator, "INSERT INTO grants", CODES // 2)
    await asyncio.gather(*redeeming)
    await operator.close()


async def _live(deployment: RunningTopology, load: Load, codes: list[str], refresh_tokens: list[str]) -> None:
    """Redeem and refresh concurrently, refresh the new tokens twice, and introspect the last ones."""
    outcomes = await asyncio.gather(*map(load.redeem, codes), *map(load.refresh, refresh_tokens))
    for outcome in outcomes:
        assert isinstance(outcome, Done)
        first = await load.refresh(outcome.body["refresh_token"])
        assert isinstance(first, Done)
        second = await load.refresh(first.body["refresh_token"])
        assert isinstance(second, Done)
        await load.introspect(second.body["access_token"])


@caught(f"{LEFT_RUNNING},redemption.keeps_no_attempt,redemption.ignores_deadlines")
@pytest.mark.parametrize(
    ("fault", "seconds"), [(locked_tables, LOCKED), (halted_server, HALTED), (absent_standby, HALTED)]
)
async def test_a_client_that_repeats_loses_nothing(
    deployment: RunningTopology, fault: Fault, seconds: float
) -> None:
    """Every code is redeemed once, every token is refreshed once, and the new tokens keep working."""
    load = await deployment.load(seed=1)
    codes = await deployment.codes(load, CODES)
    refresh_tokens = await _prepare(deployment, load)
    with deployment.verdict():
        async with lasting(fault(deployment), seconds):
            await _live(deployment, load, codes, refresh_tokens)
        assert retries_succeed(load.history, REDEEM, REFRESH) == []
        assert gains_hold(load.history) == []
        assert violations(load.history) == []


@caught(LEFT_RUNNING)
async def test_no_connection_is_opened_beyond_the_pools(deployment: RunningTopology) -> None:
    """While statements wait for a lock, and clients repeat, the server has no more backends than promised."""
    load = await deployment.load(seed=2)
    codes = await deployment.codes(load, 100)
    for session in deployment.sessions:  # each process knows the client: it is not what they wait for
        await load.once("warm-up", "none", INTROSPECTION.path, {"token": "none"}, session)
    operator = await deployment.operator()
    own = await backends(operator)  # of the test itself
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, await backends(operator))
            await asyncio.sleep(0.05)

    watching = asyncio.create_task(watch())
    async with lasting(locked_grants(deployment), HALTED):
        await asyncio.gather(*map(load.redeem, codes))
    watching.cancel()
    await operator.close()
    with deployment.verdict():
        assert most <= own + len(deployment.replicas) * POOL + 1  # the one that holds the lock
        assert violations(load.history) == []


@caught("background.ends_with_the_first_defect")
async def test_a_password_that_was_changed_and_changed_back(deployment: RunningTopology) -> None:
    """During the fault, each process answers 503 and is not ready. It recovers without a restart."""
    load = await deployment.load(seed=7)
    redeemed = await load.redeem((await deployment.codes(load, 1))[0])
    assert isinstance(redeemed, Done)
    token, form = redeemed.body["access_token"], {"token": redeemed.body["access_token"]}
    await deployment.set_password("second")
    with deployment.verdict():
        await deployment.until_readiness(is_ready=False)
        for session in deployment.sessions:
            outcome = await load.once("while away", token, INTROSPECTION.path, form, session)
            assert outcome == Retryable()
        await deployment.set_password(PASSWORD)
        await deployment.until_readiness(is_ready=True)
        for session in deployment.sessions:
            outcome = await load.once("afterwards", token, INTROSPECTION.path, form, session)
            assert isinstance(outcome, Done)
            assert outcome.body["active"]
        await deployment.world.stores.clients.disable(load.client.client_id)
        for session in deployment.sessions:  # the loop that hears of changes is alive
            await _until_refused(deployment, load, form, session)


async def _until_refused(
    deployment: RunningTopology, load: Load, form: Mapping[str, str], session: ClientSession
) -> None:
    async with asyncio.timeout(deployment.guard):
        while not isinstance(
            await load.once("disabled", "client", INTROSPECTION.path, form, session), Rejected
        ):
            await asyncio.sleep(0.05)


@caught("postgres.lends_read_only_connections,postgres.stays_at_a_demoted_server")
async def test_a_server_that_becomes_read_only(deployment: RunningTopology) -> None:
    """No process is ready, nothing is refused or lost, and each recovers without a restart."""
    load = await deployment.load(seed=10)
    codes = await deployment.codes(load, CODES)
    with deployment.verdict():
        async with read_only_server(deployment):
            redeeming = [asyncio.create_task(load.redeem(code)) for code in codes]
            await deployment.until_readiness(is_ready=False)
        for outcome in await asyncio.gather(*redeeming):
            assert isinstance(outcome, Done)
            await load.introspect(outcome.body["access_token"])
        await deployment.until_readiness(is_ready=True)
        assert retries_succeed(load.history, REDEEM) == []
        assert gains_hold(load.history) == []
        assert violations(load.history) == []


@caught()
async def test_a_key_and_a_client_that_change_at_once(deployment: RunningTopology) -> None:
    """Processes that read the client all the time do not keep it as it was."""
    stores = deployment.world.stores
    for seed in range(11, 14):
        load = await deployment.load(seed)
        redeemed = await load.redeem((await deployment.codes(load, 1))[0])
        assert isinstance(redeemed, Done)
        form = {"token": redeemed.body["access_token"]}
        reading = [
            asyncio.create_task(_until_refused(deployment, load, form, each)) for each in deployment.sessions
        ]
        await asyncio.gather(
            rotate_keys(stores.keys, deployment.settings, clock.now()),
            stores.clients.disable(load.client.client_id),
        )
        await asyncio.gather(*reading)
        assert violations(load.history) == []
