"""Faults: each is a context in which a deployment has it, healed at the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tests.fault.load import HANG_GUARD
from tests.fault.topology import RunningTopology

Fault = Callable[[RunningTopology], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def locked_tables(deployment: RunningTopology) -> AsyncIterator[None]:
    """Every statement about clients, grants or refresh families waits for a lock."""
    async with _locked(deployment, "clients, grants, refresh_families"):
        yield


@asynccontextmanager
async def locked_grants(deployment: RunningTopology) -> AsyncIterator[None]:
    """Every redemption waits for a lock."""
    async with _locked(deployment, "grants"):
        yield


@asynccontextmanager
async def _locked(deployment: RunningTopology, tables: str) -> AsyncIterator[None]:
    operator = await deployment.operator()
    try:
        async with operator.transaction():
            await operator.execute(f"LOCK TABLE {tables}")
            yield
    finally:
        await operator.close()


@asynccontextmanager
async def halted_server(deployment: RunningTopology) -> AsyncIterator[None]:
    """Every process of PostgreSQL is halted."""
    with deployment.halted_postgresql():
        yield


@asynccontextmanager
async def absent_standby(deployment: RunningTopology) -> AsyncIterator[None]:
    """Commits wait for a synchronous standby that is gone."""
    async with _configured(deployment, "synchronous_standby_names", "'ANY 1 (gone)'"):
        yield


@asynccontextmanager
async def read_only_server(deployment: RunningTopology) -> AsyncIterator[None]:
    """PostgreSQL accepts no writes, as one that has become a standby."""
    async with _configured(deployment, "default_transaction_read_only", "on"):
        yield


@asynccontextmanager
async def _configured(deployment: RunningTopology, name: str, value: str) -> AsyncIterator[None]:
    operator = await deployment.operator()
    try:
        await operator.execute(f"ALTER SYSTEM SET {name} = {value}")
        await operator.execute("SELECT pg_reload_conf()")
        yield
    finally:
        await operator.execute("SET default_transaction_read_only = off")
        await operator.execute(f"ALTER SYSTEM RESET {name}")
        await operator.execute("SELECT pg_reload_conf()")
        await operator.close()


@asynccontextmanager
async def lasting(fault: AbstractAsyncContextManager[None], seconds: float) -> AsyncIterator[None]:
    """Run the block while a fault lasts, and finish its operations after the fault."""

    async def last() -> None:
        async with fault:
            begun.set()
            await asyncio.sleep(seconds)

    begun = asyncio.Event()
    lasting, beginning = asyncio.create_task(last()), asyncio.create_task(begun.wait())
    await asyncio.wait({lasting, beginning}, return_when=asyncio.FIRST_COMPLETED)
    if not begun.is_set():
        beginning.cancel()
        await lasting  # raises what has kept the fault from beginning
    async with asyncio.timeout(HANG_GUARD):
        yield
        await lasting
