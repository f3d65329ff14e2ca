"""Faults of the processes of the services, of the worker and of the proxy."""

import asyncio
import random
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from deploy.local.child import Child, RunError
from deploy.local.service import command
from shared.paths import Service
from tests.fault.load import HANG_GUARD
from tests.fault.production.deployment import Deployment
from tests.fault.production.faults.injection import FOR, kill
from tests.fault.topology import start


async def kill_replicas(deployment: Deployment, chance: random.Random) -> None:
    """F1: one process of each service is killed, one after the other, and started again."""
    for replica in deployment.any_of(chance):
        await asyncio.sleep(chance.random())
        kill(replica.child)
        await asyncio.sleep(chance.random())
        await start(replica.child)


async def halt_replicas(deployment: Deployment, chance: random.Random) -> None:
    """F2: one process of each service is halted, and resumes."""
    halted = deployment.any_of(chance)
    for replica in halted:
        replica.send(signal.SIGSTOP)
    await asyncio.sleep(FOR + 2)
    for replica in halted:
        replica.send(signal.SIGCONT)


async def restart_replicas(deployment: Deployment, _: random.Random) -> None:
    """F3: every process is replaced, a third at a time."""
    size = len(Service)
    for first in range(0, len(deployment.replicas), size):
        turn = deployment.replicas[first : first + size]
        await asyncio.gather(*(replica.child.stop() for replica in turn))
        await asyncio.gather(*(start(replica.child) for replica in turn))


async def stop_at_once(deployment: Deployment, chance: random.Random) -> None:
    """F4: one process of each service stops without a delay, in which the proxy would leave it."""
    for replica in deployment.any_of(chance):
        usual = replica.child.command
        replica.child.command = replace(usual, env={**usual.env, "OSTIARY_DRAIN_DELAY": "0s"})
        for _turn in range(2):  # the second one stops with the new setting
            await replica.child.stop()
            await start(replica.child)
        replica.child.command = usual


async def exhaust_memory(deployment: Deployment, chance: random.Random) -> None:
    """F37: one process of each service gets no more memory, and is killed for it after a while."""
    starved = deployment.any_of(chance)
    for replica in starved:
        assert replica.child.process
        pid = replica.child.process.pid
        pages = int((Path("/proc") / str(pid) / "statm").read_text("ascii").split()[0])
        size = pages * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (size, size))
    await asyncio.sleep(FOR)
    for replica in starved:
        kill(replica.child)
        await start(replica.child)


async def start_all_at_once(deployment: Deployment, _: random.Random) -> None:
    """F30: every process is killed, and all start at once while clients wait."""
    for replica in deployment.replicas:
        kill(replica.child)
    await asyncio.gather(*(start(replica.child) for replica in deployment.replicas))


async def stop_the_worker(deployment: Deployment, _: random.Random) -> None:
    """F26: the worker is killed, and returns after a while."""
    kill(deployment.worker.child)
    await asyncio.sleep(FOR + 2)
    await start(deployment.worker.child)


_EXPIRED = 10_000  # more than a round deletes in a moment
_EXPIRE = f"""
INSERT INTO sessions (session_key, sid, user_id, epoch, expires_at)
SELECT sha256(number::text::bytea), gen_random_uuid(), user_id, 0, now() - interval '8 days'
  FROM generate_series(1, {_EXPIRED}) AS number, (SELECT user_id FROM users LIMIT 1) AS somebody"""
_LEFT = "SELECT count(*) FROM sessions WHERE expires_at < now() - interval '8 days'"


async def stop_the_expiry(deployment: Deployment, _: random.Random) -> None:
    """F43: nothing is deleted for a while, and the worker catches up when it returns."""
    kill(deployment.worker.child)
    operator = await deployment.postgresql.primary.operator()
    try:
        await operator.execute(_EXPIRE)
        await asyncio.sleep(FOR)
        await start(deployment.worker.child)
        async with asyncio.timeout(HANG_GUARD):
            while await operator.fetchval(_LEFT):
                await asyncio.sleep(0.2)
    finally:
        await operator.close()


async def reload_proxy(deployment: Deployment, _: random.Random) -> None:
    """F41: nginx reloads its configuration, three times."""
    assert deployment.proxy.process
    for _turn in range(3):
        deployment.proxy.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(1)


@asynccontextmanager
async def _one_more(deployment: Deployment, **settings: str) -> AsyncIterator[Child]:
    own = deployment.sockets / f"misconfigured-{len(list(deployment.sockets.iterdir()))}"
    own.mkdir()
    environment = {**deployment.environment, **settings}
    child = Child(command(Service.TOKEN, own, environment, deployment.folder / f"{own.name}.log"))
    try:
        yield child
    finally:
        await child.stop()


async def misconfigure_a_replica(deployment: Deployment, chance: random.Random) -> None:
    """F45: a process with another issuer, or without the secret key, joins and must not become ready."""
    wrong = chance.choice(
        (
            {"OSTIARY_ISSUER": "https://other.test/oidc"},
            {"OSTIARY_SECRET_KEY": "another secret of 32 characters"},
        )
    )
    async with _one_more(deployment, **wrong) as child:
        try:
            async with asyncio.timeout(FOR):
                await child.start()
        except (RunError, TimeoutError):
            return
    raise AssertionError(f"a process with {sorted(wrong)} of its own became ready")
