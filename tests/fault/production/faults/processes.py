"""Faults of the processes of the services, of the worker and of the proxy."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.local.child import Child, RunError
from deploy.local.service import command
from shared.paths import Service
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
