"""Real processes over stores of their own: a PostgreSQL, a Valkey, and several token services."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import pytest
from aiohttp import ClientSession, UnixConnector

from deploy.local.child import Child, Command
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

ROOT = Path(__file__).parents[2]
READY_GUARD = 30.0  # seconds: a process that is not ready again by then will not be

PASSWORD = "first"
_ROLE = f"CREATE ROLE services LOGIN PASSWORD '{PASSWORD}'; GRANT ostiary TO services"
_ACCESS = "local all services password\nlocal all all trust\n"

_DISCONNECT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'services'"

_WAITING = """
SELECT count(*) FROM pg_stat_activity
 WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO ' || $1 || '%'"""


@dataclass(slots=True)
class RunningTopology:
    """A running deployment. *planted*: the defects of its services, if any."""

    postgres: Postgres
    server: Child
    world: World
    services: list[Child]
    sessions: list[ClientSession]
    planted: str | None = None

    @contextmanager
    def verdict(self) -> Iterator[None]:
        """The assertions of a test, one of which must fail where defects are planted."""
        if self.planted is None:
            yield
            return
        with suppress(AssertionError, TimeoutError):
            yield
            pytest.fail(f"the test passes with a defect in place: {self.planted}")

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

    async def set_password(self, password: str) -> None:
        """Change the password by which the services connect, and close their connections."""
        operator = await self.operator()
        await operator.execute(f"ALTER ROLE services PASSWORD '{password}'")
        await operator.execute(_DISCONNECT)
        await operator.close()

    async def until_readiness(self, *, is_ready: bool) -> None:
        """Return when every process is ready, or when every process is not."""
        async with asyncio.timeout(READY_GUARD):
            for session in self.sessions:
                while (await _readiness(session) == 200) != is_ready:
                    await asyncio.sleep(0.05)

    @contextmanager
    def halted_postgresql(self) -> Iterator[None]:
        """Halt every process of PostgreSQL, as on a paused machine, and resume them at the end."""
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
async def started(*children: Child) -> AsyncIterator[None]:
    """Processes for as long as a block lasts, started and stopped at once."""
    try:
        await asyncio.gather(*(child.start() for child in children))
        yield
    finally:
        await asyncio.gather(*(child.stop() for child in children))


async def _readiness(session: ClientSession) -> int:
    async with session.get("http://token/readyz") as response:
        return response.status


async def _with_password(postgres: Postgres) -> str:
    """Give the services a role with a password. Returns the URL with which they connect."""
    operator = await asyncpg.connect(postgres.url)
    await operator.execute(_ROLE)
    (postgres.cluster / "pg_hba.conf").write_text(_ACCESS, "ascii")
    await operator.execute("SELECT pg_reload_conf()")
    await operator.close()
    return postgres.url.replace("ostiary@", f"services:{PASSWORD}@", 1)


def _with_defects(service: Command, defects: str, socket: Path) -> Command:
    """The same service with defects planted."""
    argv = (sys.executable, "-m", "tests.planted", defects, Service.TOKEN, f"unix:{socket}")
    return replace(service, argv=argv, cwd=ROOT)


@asynccontextmanager
async def topology(
    folder: Path, *, replicas: int = 2, planted: str | None = None
) -> AsyncIterator[RunningTopology]:
    """A deployment with so many token processes, and its data in *folder*.

    *planted*: defects of the services, as `python -m tests.planted` takes them.
    """
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
            server = Child(postgres.command())
            await closing.enter_async_context(started(server, Child(valkey.command())))
            await migrate(postgres.url)
            settings = settings_for(await _with_password(postgres), valkey.url, drain_delay="0s")
            world = await closing.enter_async_context(open_world(settings))
            environment = child_environment(settings, 0) | {"OSTIARY_ISSUER": settings.issuer}
            services, sessions = [], []
            for number in range(replicas):
                own = sockets / f"token-{number}"
                own.mkdir()
                socket = socket_of(own, Service.TOKEN)
                service = command(Service.TOKEN, own, environment, folder / f"token-{number}.log")
                if planted:
                    service = _with_defects(service, planted, socket)
                services.append(Child(service))
                connector = UnixConnector(str(socket), limit=0)
                sessions.append(await closing.enter_async_context(ClientSession(connector=connector)))
            await closing.enter_async_context(started(*services))
            yield RunningTopology(postgres, server, world, services, sessions, planted)


async def backends(operator: asyncpg.Connection) -> int:
    """The number of PostgreSQL backends, without this connection's."""
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
