"""Real processes over stores of their own: a PostgreSQL, a Valkey behind a fault proxy, and services."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientSession, CookieJar, UnixConnector

from deploy.local.child import Child, RunError
from deploy.local.folders import run_folder
from deploy.local.postgres import Postgres, find_binaries
from deploy.local.service import command, socket_of
from deploy.local.unprivileged import account_for, runnable
from deploy.local.valkey import Valkey, find_binary
from shared.config.environment import child_environment
from shared.config.settings import Settings
from shared.paths import Service
from shared.store.migrate import migrate
from tests.authorization import LOCAL_ISSUER, Browser
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.fault.load import HANG_GUARD, Load
from tests.fault_proxy import FaultProxy, redis_proxy

ROOT = Path(__file__).parents[2]
ORIGIN = LOCAL_ISSUER.removesuffix("/oidc")
READY_GUARD = 30.0  # seconds: a process that is not ready again by then will not be
PLANTED_GUARD = 6.0  # the same with a defect, where giving up too early does no harm

PASSWORD = "first"
_ROLE = f"CREATE ROLE services LOGIN PASSWORD '{PASSWORD}'; GRANT ostiary TO services"
_ACCESS = "local all services password\nlocal all all trust\n"

_DISCONNECT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'services'"

_WAITING = """
SELECT count(*) FROM pg_stat_activity
 WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'"""


@dataclass(frozen=True, slots=True)
class Replica:
    """One process of a service, and connections to it."""

    service: Service
    child: Child
    socket: Path
    http: ClientSession

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self.child.process
        os.kill(self.child.process.pid, number)

    async def readiness(self) -> int:
        """The status of /readyz."""
        async with self.http.get("/readyz") as response:
            return response.status


@dataclass(slots=True)
class RunningTopology:
    """A running deployment. *proxy* stands before Redis. *planted*: the defects of its services, if any."""

    postgres: Postgres
    server: Child
    redis: Child
    proxy: FaultProxy
    settings: Settings
    world: World
    folder: Path
    sockets: Path
    environment: Mapping[str, str]
    planted: str | None = None
    replicas: list[Replica] = field(default_factory=list)
    browsers: list[ClientSession] = field(default_factory=list)

    def of(self, service: Service) -> list[Replica]:
        """The processes of a service."""
        return [replica for replica in self.replicas if replica.service == service]

    @property
    def sessions(self) -> list[ClientSession]:
        """The connections to the token processes."""
        return [replica.http for replica in self.of(Service.TOKEN)]

    @property
    def guard(self) -> float:
        """Seconds after which what is waited for will not come."""
        return PLANTED_GUARD if self.planted else READY_GUARD

    @contextmanager
    def verdict(self) -> Iterator[None]:
        """The assertions of a test, one of which must fail where defects are planted."""
        if self.planted is None:
            yield
            return
        with suppress(AssertionError, TimeoutError, RunError):
            yield
            pytest.fail(f"the test passes with a defect in place: {self.planted}")

    async def load(self, seed: int, **client: Any) -> Load:
        """A new client's load, the same for the same seed. *client*: fields of the client."""
        return Load(await self.world.client(**client), self.sessions, random.Random(seed))

    async def codes(self, load: Load, count: int) -> list[str]:
        """New codes of the load's client, each of a user of its own."""
        signed_in = [await self.world.sign_in() for _ in range(count)]
        return [await self.world.add_code(each.code(load.client.client_id)) for each in signed_in]

    def browser(self) -> Browser:
        """A browser without cookies at the first authorization process."""
        connector = UnixConnector(str(self.of(Service.AUTHORIZATION)[0].socket))
        http = ClientSession(ORIGIN, connector=connector, cookie_jar=CookieJar(unsafe=True))
        self.browsers.append(http)
        return Browser(http)

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
        async with asyncio.timeout(self.guard):
            for replica in self.replicas:
                while (await replica.readiness() == 200) != is_ready:
                    await asyncio.sleep(0.05)

    @asynccontextmanager
    async def process(
        self, service: Service, *options: str, log: Path | None = None, planted: str | None = None
    ) -> AsyncIterator[Replica]:
        """One more process of a service, not yet started, with *options* of `ostiary serve`.

        *planted*: defects beside the topology's.
        """
        own = self.sockets / f"{service}-{len(list(self.sockets.iterdir()))}"
        own.mkdir()
        socket = socket_of(own, service)
        starting = command(service, own, self.environment, log or self.folder / f"{own.name}.log")
        starting = replace(starting, argv=(*starting.argv, *options))
        if defects := ",".join(filter(None, (planted, self.planted))):
            argv = (sys.executable, "-m", "tests.planted", defects, service, f"unix:{socket}", *options)
            starting = replace(starting, argv=argv, cwd=ROOT)
        async with ClientSession(ORIGIN, connector=UnixConnector(str(socket), limit=0)) as http:
            yield Replica(service, Child(starting), socket, http)

    @contextmanager
    def halted_postgresql(self) -> Iterator[None]:
        """Halt every process of PostgreSQL, as on a paused machine, and resume them at the end."""
        assert self.server.process
        parent = self.server.process.pid
        _send_to_all(parent, signal.SIGSTOP)
        try:
            yield
        finally:
            _send_to_all(parent, signal.SIGCONT)


def _send_to_all(parent: int, number: signal.Signals) -> None:
    """Send a signal to a process, and then to its children, of which some may be ending.

    The parent comes first: halted, it forks no more; resumed, it sees to those that have ended.
    """
    os.kill(parent, number)
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()
    for child in map(int, children):
        with suppress(ProcessLookupError):
            os.kill(child, number)


async def start(child: Child) -> None:
    """Start a process, and once more if a busy machine took too long."""
    try:
        await child.start()
    except RunError:
        await child.start()


@asynccontextmanager
async def started(*children: Child) -> AsyncIterator[None]:
    """Processes for as long as a block lasts, started and stopped at once."""
    try:
        await asyncio.gather(*map(start, children))
        yield
    finally:
        await asyncio.gather(*(child.stop() for child in children))


async def _with_password(postgres: Postgres) -> str:
    """Give the services a role with a password. Returns the URL with which they connect."""
    operator = await asyncpg.connect(postgres.url)
    await operator.execute(_ROLE)
    (postgres.cluster / "pg_hba.conf").write_text(_ACCESS, "ascii")
    await operator.execute("SELECT pg_reload_conf()")
    await operator.close()
    return postgres.url.replace("ostiary@", f"services:{PASSWORD}@", 1)


@asynccontextmanager
async def topology(
    folder: Path, replicas: Mapping[Service, int], planted: str | None = None
) -> AsyncIterator[RunningTopology]:
    """A deployment with so many processes of each service, and its data in *folder*.

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
            server, redis = Child(postgres.command()), Child(valkey.command())
            await closing.enter_async_context(started(server, redis))
            await migrate(postgres.url)
            url = await _with_password(postgres)
            proxy, redis_url = await closing.enter_async_context(redis_proxy(valkey.url, sockets))
            settings = settings_for(
                url,
                redis_url,
                issuer=LOCAL_ISSUER,
                drain_delay="0s",
            )
            world = await closing.enter_async_context(
                open_world(settings_for(url, valkey.url, issuer=LOCAL_ISSUER))
            )
            environment = child_environment(settings, 0) | {
                "OSTIARY_ISSUER": LOCAL_ISSUER,
                "OSTIARY_RATE_LIMITS": "off",
                "OSTIARY_REGISTRATION": "open",
            }
            running = RunningTopology(
                postgres, server, redis, proxy, settings, world, folder, sockets, environment, planted
            )
            for service, count in replicas.items():
                for _ in range(count):
                    running.replicas.append(await closing.enter_async_context(running.process(service)))
            await closing.enter_async_context(started(*(each.child for each in running.replicas)))
            yield running
            for http in running.browsers:
                await http.close()


async def backends(operator: asyncpg.Connection) -> int:
    """The number of PostgreSQL backends, without this connection's."""
    return int(
        await operator.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    )


async def until_waiting(operator: asyncpg.Connection, words: str, count: int) -> None:
    """Return when so many backends wait for a lock with a statement that has *words*."""
    async with asyncio.timeout(HANG_GUARD):
        while await operator.fetchval(_WAITING, words) < count:
            await asyncio.sleep(0.01)
            await operator.execute("SELECT pg_stat_clear_snapshot()")  # a transaction keeps what it saw
