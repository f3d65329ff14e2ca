"""Faults of PostgreSQL, and of the way to it."""

import asyncio
import random
import signal
from contextlib import AsyncExitStack, suppress

import asyncpg
from aiohttp import ClientError, ClientTimeout

from shared.live import clock
from shared.operations.keys import rotate_keys
from shared.paths import TOKEN
from tests.fault.production.deployment import Deployment
from tests.fault.production.faults.injection import FOR
from tests.fault.production.postgresql import Node


async def restart_postgresql(deployment: Deployment, chance: random.Random) -> None:
    """F16: PostgreSQL restarts, in either way."""
    node = deployment.postgresql.primary
    assert node.child.process
    node.child.process.send_signal(chance.choice((signal.SIGINT, signal.SIGQUIT)))
    await asyncio.to_thread(node.child.process.wait)
    await asyncio.sleep(chance.random())
    await node.child.start()
    await deployment.postgresql.until_synchronous()


async def fail_over_postgresql(deployment: Deployment, _: random.Random) -> None:
    """F17: a standby is promoted, and the old primary becomes a standby."""
    await deployment.postgresql.fail_over()
    if deployment.pooler:
        deployment.pooler.move_to(deployment.postgresql.primary)


async def lock_clients(deployment: Deployment, _: random.Random) -> None:
    """F20: every statement about clients waits for a lock."""
    await _locked(deployment.postgresql.primary, "clients")


_SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON grants FOR EACH ROW EXECUTE FUNCTION slow()"""
_FAST = "DROP TRIGGER slow ON grants; DROP FUNCTION slow()"


async def slow_statements(deployment: Deployment, _: random.Random) -> None:
    """F20: every change of a grant takes half a second longer."""
    primary = deployment.postgresql.primary
    await primary.execute(_SLOW)
    await asyncio.sleep(FOR)
    await _persistently(primary, _FAST)


_CONFLICTING = """
CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF random() < 0.3 THEN RAISE 'a victim' USING ERRCODE = 'deadlock_detected'; END IF;
  RETURN NEW; END $$;
CREATE TRIGGER conflict BEFORE INSERT OR UPDATE ON grants FOR EACH ROW EXECUTE FUNCTION conflict()"""
_PEACEFUL = "DROP TRIGGER conflict ON grants; DROP FUNCTION conflict()"


async def deadlock_statements(deployment: Deployment, _: random.Random) -> None:
    """F24: three in ten changes of a grant end as the victim of a deadlock."""
    primary = deployment.postgresql.primary
    await primary.execute(_CONFLICTING)
    await asyncio.sleep(FOR)
    await _persistently(primary, _PEACEFUL)


async def _persistently(node: Node, sql: str) -> None:
    """A change of the schema, which waits for the statements that are running."""
    async with asyncio.timeout(60):
        while True:
            with suppress(asyncpg.PostgresError):
                await node.execute(sql)
                return
            await asyncio.sleep(0.1)


async def _locked(node: Node, table: str) -> None:
    operator = await node.operator()
    try:
        async with operator.transaction():
            await operator.execute(f"LOCK TABLE {table}")
            await asyncio.sleep(FOR)
    finally:
        await operator.close()


async def exhaust_pools(deployment: Deployment, _: random.Random) -> None:
    """F21: hundreds of slow requests hold every connection of every pool."""
    http = await deployment.session(has_jar=False)

    async def hold() -> None:
        form = {"grant_type": "refresh_token", "refresh_token": "rt_none", "client_id": "nobody"}
        with suppress(ClientError, OSError, TimeoutError):
            async with http.post(TOKEN.path, data=form, timeout=ClientTimeout(FOR)) as response:
                await response.read()

    async with asyncio.TaskGroup() as group:
        group.create_task(_locked(deployment.postgresql.primary, "clients"))
        for _holder in range(200):
            group.create_task(hold())


_DISCONNECT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'services'"


async def exhaust_postgresql(deployment: Deployment, _: random.Random) -> None:
    """F22: others hold every connection that PostgreSQL allows, when the services need new ones."""
    primary = deployment.postgresql.primary
    operator = await primary.operator()
    async with AsyncExitStack() as closing:
        await operator.execute(_DISCONNECT)
        with suppress(asyncpg.TooManyConnectionsError):
            while True:
                url = primary.postgres.url.replace("ostiary@", "services@", 1)
                connection = await asyncpg.connect(url)
                closing.push_async_callback(connection.close)
        await asyncio.sleep(FOR)
    await operator.close()


async def make_postgresql_read_only(deployment: Deployment, _: random.Random) -> None:
    """F25: PostgreSQL accepts no writes, as with a full disk."""
    primary = deployment.postgresql.primary
    await primary.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    await primary.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(FOR)
    operator = await primary.operator()
    await operator.execute("SET default_transaction_read_only = off")
    await operator.execute("ALTER SYSTEM RESET default_transaction_read_only")
    await operator.execute("SELECT pg_reload_conf()")
    await operator.close()


async def rotate_without_a_replica(deployment: Deployment, _: random.Random) -> None:
    """F29: a token process is cut off from PostgreSQL while the signing keys are rotated."""
    for link in deployment.links:
        link.break_off()
    await rotate_keys(deployment.world.stores.keys, deployment.settings, clock.now())
    await asyncio.sleep(FOR)
    for link in deployment.links:
        link.heal()
