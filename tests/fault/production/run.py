"""One run of a fault under load, and its verdict."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass

from tests.fault.checker import began_after, notices_arrive, retries_succeed, unsuccessful, violations
from tests.fault.history import History
from tests.fault.load import HANG_GUARD
from tests.fault.production.deployment import Deployment
from tests.fault.production.relying_party import relying_party
from tests.fault.production.table import Row

PARTIES = 3
BEFORE = 2.0  # seconds of load before the fault
AFTER = 4.0  # seconds of load that must all succeed, when every process is ready again


@dataclass(frozen=True, slots=True)
class Run:
    """What happened. *recovery*: seconds from the end of the fault until every process was ready."""

    history: History
    faults: tuple[str, ...]
    recovery: float

    def outcomes(self) -> str:
        """The number of operations by outcome."""
        counted = Counter(type(each.outcome).__name__.lower() for each in self.history.operations)
        return ", ".join(f"{number} {name}" for name, number in sorted(counted.items()))


async def run(deployment: Deployment, row: Row, seed: int) -> Run:
    """Run full flows all the time, and the fault meanwhile."""
    chance = random.Random(seed)
    parties = [await relying_party(deployment, seed * PARTIES + number) for number in range(PARTIES)]
    history, is_over, found = History(), asyncio.Event(), list[str]()
    for party in parties:
        party.load.history = history
    flows = [asyncio.create_task(party.run(is_over)) for party in parties]
    try:
        await asyncio.sleep(BEFORE)
        try:
            await row.inject(deployment, chance)
        except (AssertionError, TimeoutError) as fault:
            found.append(f"the fault did not go as it should: {fault!r}")
        healed = time.monotonic()
        await deployment.until_ready()
        recovered = time.monotonic()
        await asyncio.sleep(AFTER)
    finally:
        is_over.set()
        ends = await asyncio.gather(*flows, return_exceptions=True)
    found += [f"a relying party gave up: {end!r}" for end in ends if isinstance(end, BaseException)]
    found += violations(history)
    found += await _missing_notices(deployment, history)
    found += retries_succeed(history, *row.retried)
    found += unsuccessful(began_after(history, recovered + AFTER / 2))
    return Run(history, tuple(found), recovered - healed)


async def _missing_notices(deployment: Deployment, history: History) -> list[str]:
    """Wait for the notices of all logouts. Returns what is wrong with them in the end."""
    deadline = time.monotonic() + HANG_GUARD
    while faults := notices_arrive(history, deployment.outside.notices):
        if time.monotonic() > deadline:
            return faults
        await asyncio.sleep(0.1)
    return []
