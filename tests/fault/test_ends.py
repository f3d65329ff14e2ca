"""Acknowledged ends are final, whatever happens to the connections to the stores."""

import asyncio
from contextlib import suppress

import asyncpg

from tests.fault.checker import USE, violations
from tests.fault.defects import caught
from tests.fault.history import Done
from tests.fault.topology import RunningTopology

TOKENS = 30

_KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""


@caught("postgres.acknowledges_what_failed")
async def test_an_acknowledged_revocation_holds_in_a_storm_of_killed_connections(
    deployment: RunningTopology,
) -> None:
    """Each token is dead for every use that began after its revocation was acknowledged."""
    load = await deployment.load(seed=5)
    redeemed = [await load.redeem(code) for code in await deployment.codes(load, TOKENS)]
    tokens = [outcome.body["refresh_token"] for outcome in redeemed if isinstance(outcome, Done)]
    operator = await deployment.operator()

    async def storm() -> None:
        pause = 0.01  # seconds; it abates, so that even a slow machine connects and gets an answer in the end
        while True:
            with suppress(asyncpg.PostgresError):
                await operator.execute(_KILL)
            await asyncio.sleep(pause)
            pause *= 1.05

    async def end(token: str) -> None:
        await load.introspect(token, kind=USE)
        assert isinstance(await load.revoke(token), Done)
        await load.introspect(token, kind=USE)

    assert len(tokens) == TOKENS
    storming = asyncio.create_task(storm())
    with deployment.verdict():
        await asyncio.gather(*map(end, tokens))
        storming.cancel()
        for token in tokens:
            await load.introspect(token, kind=USE)
        assert violations(load.history) == []
    storming.cancel()
    await operator.close()
