"""Faults of Redis."""

import asyncio
import random
import signal

from tests.fault.production.deployment import Deployment
from tests.fault.production.faults.injection import FOR, kill


async def kill_redis(deployment: Deployment, _: random.Random) -> None:
    """F6: the primary of Redis is killed, and returns when another one has been promoted."""
    primary = deployment.watched.primary()
    kill(deployment.watched.child(primary))
    await deployment.watched.until_another_is_primary(primary)
    await deployment.watched.child(primary).start()
    await deployment.watched.until_replicated()


async def halt_redis(deployment: Deployment, _: random.Random) -> None:
    """F7: the primary of Redis is halted, and returns as one that takes itself for the primary."""
    primary = deployment.watched.primary()
    deployment.watched.send(primary, signal.SIGSTOP)
    try:
        await deployment.watched.until_another_is_primary(primary)
        await asyncio.sleep(1)
    finally:
        deployment.watched.send(primary, signal.SIGCONT)
    await deployment.watched.until_replicated()


async def flush_redis(deployment: Deployment, chance: random.Random) -> None:
    """F9: Redis forgets everything, twice."""
    for _ in range(2):
        deployment.watched.primary().ask("FLUSHALL")
        await asyncio.sleep(2 * chance.random())


async def empty_redis(deployment: Deployment, _: random.Random) -> None:
    """F10: the primary of Redis restarts without its data, before anybody notices."""
    primary = deployment.watched.primary()
    kill(deployment.watched.child(primary))
    await deployment.watched.child(primary).start()
    await deployment.watched.until_replicated()


async def fill_redis(deployment: Deployment, _: random.Random) -> None:
    """F12: Redis has no memory left, and evicts nothing."""
    primary = deployment.watched.primary()
    primary.ask("CONFIG", "SET", "maxmemory", 1)
    await asyncio.sleep(FOR)
    primary.ask("CONFIG", "SET", "maxmemory", 0)
