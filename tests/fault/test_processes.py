"""Processes that are halted and resume, and requests that reach two of them."""

import asyncio
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import asyncpg

from shared.paths import INTROSPECTION, TOKEN
from tests.builders import REDIRECT_URI, VERIFIER
from tests.fault.checker import REDEEM, REFRESH, gains_hold, retries_succeed, violations
from tests.fault.defects import caught
from tests.fault.history import Done, Rejected
from tests.fault.load import Load
from tests.fault.topology import RunningTopology, until_waiting

LATE = 3.0  # seconds that a process is halted

HALTED_AND_STALE = "http.is_never_late,http.answers_at_any_age,redemption.ignores_deadlines"


@contextmanager
def _halted(deployment: RunningTopology) -> Iterator[None]:
    """The first process is halted."""
    process = deployment.replicas[0]
    process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send(signal.SIGCONT)


async def _connect(deployment: RunningTopology) -> None:
    """Open a connection to the first process, which stays open."""
    async with deployment.sessions[0].get("/healthz") as response:
        await response.read()


async def _stale(
    deployment: RunningTopology, load: Load, kind: str, subject: str, form: Mapping[str, str]
) -> tuple[Done, object]:
    """Send a request to the halted process and to the other one; what they answered, the other one first."""
    halted, other = deployment.sessions
    with _halted(deployment):
        stale = asyncio.create_task(load.once("stale", subject, TOKEN.path, form, halted))
        fresh = await load.until_verdict(kind, subject, TOKEN.path, form, lambda: other)
        assert isinstance(fresh, Done)
        if kind == REFRESH:
            token = fresh.body["refresh_token"]
            again = {**form, "refresh_token": token}
            fresh = await load.until_verdict(REFRESH, token, TOKEN.path, again, lambda: other)
            assert isinstance(fresh, Done)
        await asyncio.sleep(LATE)  # how late the process is, and no wait for anything
    return fresh, await stale


@caught(HALTED_AND_STALE)
async def test_a_process_that_resumes_spends_nothing_stale(deployment: RunningTopology) -> None:
    """A client that got its tokens from another process keeps them when the halted process resumes."""
    load = await deployment.load(seed=3)
    (code,) = await deployment.codes(load, 1)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    await _connect(deployment)
    fresh, stale = await _stale(deployment, load, REDEEM, code, form)
    with deployment.verdict():
        assert not isinstance(stale, Done | Rejected)
        assert isinstance(await load.refresh(fresh.body["refresh_token"]), Done)
        await load.introspect(fresh.body["access_token"])
        assert retries_succeed(load.history, REDEEM, REFRESH) == []
        assert gains_hold(load.history) == []


@caught(HALTED_AND_STALE)
async def test_a_process_that_resumes_ends_no_family(deployment: RunningTopology) -> None:
    """The client has refreshed twice elsewhere: the stale refresh token would count as reused."""
    load = await deployment.load(seed=6)
    redeemed = await load.redeem((await deployment.codes(load, 1))[0])
    assert isinstance(redeemed, Done)
    token = redeemed.body["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    await _connect(deployment)
    fresh, stale = await _stale(deployment, load, REFRESH, token, form)
    with deployment.verdict():
        assert not isinstance(stale, Done | Rejected)
        assert isinstance(await load.refresh(fresh.body["refresh_token"]), Done)
        assert retries_succeed(load.history, REDEEM, REFRESH) == []


@caught("redemption.counts_from_execution")
async def test_a_request_that_is_delivered_twice_at_once_is_no_theft(deployment: RunningTopology) -> None:
    """One of two deliveries is refused, and the tokens of the other one stay valid."""
    load = await deployment.load(seed=4)
    operator = await deployment.operator()
    for session in deployment.sessions:  # each process knows the client before the lock
        await load.once("warm-up", "none", INTROSPECTION.path, {"token": "none"}, session)
    with deployment.verdict():
        for _ in range(3):
            won = await _deliver_twice(deployment, load, operator)
            assert isinstance(await load.refresh(won.body["refresh_token"]), Done)
            await load.introspect(won.body["access_token"])
        assert gains_hold(load.history) == []
        assert violations(load.history) == []
    await operator.close()


async def _deliver_twice(deployment: RunningTopology, load: Load, operator: asyncpg.Connection) -> Done:
    """The tokens of the winner of two deliveries that were both complete before the grant existed.

    If the lock lasts so long that a delivery gets a 503, its repetition may be too late. Then another code is
    tried.
    """
    while True:
        (code,) = await deployment.codes(load, 1)
        async with operator.transaction():
            await operator.execute("LOCK TABLE grants")
            both = [asyncio.create_task(load.redeem(code)) for _ in range(2)]
            await until_waiting(operator, "INSERT INTO grants", 2)
        won = [outcome for outcome in await asyncio.gather(*both) if isinstance(outcome, Done)]
        if len(load.history.by_subject(REDEEM)[code]) == 2:
            assert len(won) == 1
            return won[0]
