"""Processes that are halted and resume."""

import asyncio
import os
import signal

from shared.paths import TOKEN
from tests.builders import REDIRECT_URI, VERIFIER
from tests.fault.checker import REDEEM, REFRESH, gains_hold, retries_succeed
from tests.fault.history import Done, Refused
from tests.fault.topology import Topology

LATE = 3.0  # seconds that a process is halted


async def test_a_process_that_resumes_spends_nothing_stale(deployment: Topology) -> None:
    """A client that got its tokens elsewhere meanwhile keeps them when the halted process goes on."""
    load = await deployment.load(seed=3)
    (code,) = await deployment.codes(load, 1)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    halted, other = deployment.sessions
    process = deployment.services[0].process
    assert process
    async with halted.get("http://token/healthz") as response:  # the connection is open, and stays so
        await response.read()
    os.kill(process.pid, signal.SIGSTOP)
    stale = asyncio.create_task(load.once("stale", code, TOKEN.path, form, halted))
    fresh = await load.until_verdict(REDEEM, code, TOKEN.path, form, lambda: other)
    assert isinstance(fresh, Done)
    await asyncio.sleep(LATE)  # how late the process is, and no wait for anything
    os.kill(process.pid, signal.SIGCONT)
    assert not isinstance(await stale, Done | Refused)
    assert isinstance(await load.refresh(fresh.body["refresh_token"]), Done)
    await load.introspect(fresh.body["access_token"])
    assert retries_succeed(load.history, REDEEM, REFRESH) == []
    assert gains_hold(load.history) == []
