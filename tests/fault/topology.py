"""Real processes over stores of their own: a PostgreSQL, a Valkey, and several token services."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from aiohttp import ClientSession, UnixConnector

from deploy.local.child import Child
from deploy.local.folders import run_folder
from deploy.local.postgres import Postgres, find_binaries
from deploy.local.service import command, socket_of
from deploy.local.unprivileged import account_for, runnable
from deploy.local.valkey import Valkey, find_binary
from shared.config.settings import child_environment
from shared.paths import Service
from shared.store.migrate import migrate
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.fault.load import HANG_GUARD, Load

_WAITING = """
SELECT count(*) FROM pg_stat_activity
 WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO ' || $1 || '%'"""


@dataclass(slots=True)
class Topology:
    """A running deployment."""

    postgres: Postgres
    server: Child
    world: World
    services: list[Child]
    sessions: list[ClientSession]

    async def load(self, seed: int) -> Load:
        """A new client's load, the same for the same seed."""
        return Load(await self.world.client(), self.sessions, random.Random(seed))

    async def codes(self, load: Load, count: int) -> list[str]:
        """New codes of the load's client, each of a user of its own."""
        signed_in = [await self.world.sign_in() for _ in range(count)]
        return [await self.world.add_code(each.code(load.client.client_id)) for each in signed_in]

    async def operator(self) -> asyncpg.Connection:
        """A connection to PostgreSQL beside the services', to be closed."""
        return await asyncpg.connect(self.postgres.url)

    @contextmanager
    def halted_postgresql(self) -> Iterator[None]:
        """Every process of PostgreSQL is halted, as on a machine that is paused, and goes on at the end."""
        pids = self._postgresql_pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def _postgresql_pids(self) -> list[int]:
        assert self.server.process
        parent = self.server.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()
        return [parent, *map(int, children)]


@asynccontextmanager
async def started(child: Child) -> AsyncIterator[Child]:
    """A process for as long as a block lasts."""
    await child.start()
    try:
        yield child
    finally:
        await child.stop()


@asynccontextmanager
async def topology(folder: Path, *, replicas: int = 2) -> AsyncIterator[Topology]:
    """A deployment with so many token processes; its data lie in *folder*."""
    with run_folder() as sockets, run_folder(0o755) as copies:
        account = account_for(folder / "cluster")
        binaries = runnable(find_binaries(), account, copies)
        postgres = Postgres(
            binaries, folder / "cluster", sockets, folder / "postgres.log", account, is_durable=True
        )
        valkey = Valkey(find_binary(), folder / "valkey", sockets, folder / "valkey.log", is_durable=False)
        postgres.prepare()
        valkey.prepare()
        async with AsyncExitStack() as closing:
            server = await closing.enter_async_context(started(Child(postgres.command())))
            await closing.enter_async_context(started(Child(valkey.command())))
            await migrate(postgres.url)
            settings = settings_for(postgres.url, valkey.url)
            world = await closing.enter_async_context(open_world(settings))
            environment = child_environment(settings, 0) | {"OSTIARY_ISSUER": settings.issuer}
            services, sessions = [], []
            for number in range(replicas):
                own = sockets / f"token-{number}"
                own.mkdir()
                child = Child(command(Service.TOKEN, own, environment, folder / f"token-{number}.log"))
                services.append(await closing.enter_async_context(started(child)))
                connector = UnixConnector(str(socket_of(own, Service.TOKEN)), limit=0)
                sessions.append(await closing.enter_async_context(ClientSession(connector=connector)))
            yield Topology(postgres, server, world, services, sessions)


async def backends(operator: asyncpg.Connection) -> int:
    """How many server processes clients have, this one's left out."""
    return int(
        await operator.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    )


async def until_waiting(operator: asyncpg.Connection, table: str, count: int) -> None:
    """Return when so many backends wait for a lock with a statement that inserts into *table*."""
    async with asyncio.timeout(HANG_GUARD):
        while await operator.fetchval(_WAITING, table) < count:
            await asyncio.sleep(0.01)
            await operator.execute("SELECT pg_stat_clear_snapshot()")  # a transaction keeps what it saw
