"""The deployment that is measured, in a folder that goes: servers and processes as `ostiary run` starts them.

And `hello.py` beside it, the measure of all.
"""

import socket
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from deploy.local import caddy, postgres, valkey
from deploy.local.caddyfile import caddyfile
from deploy.local.child import Child, Command
from deploy.local.folders import run_folder
from deploy.local.service import command, socket_of
from deploy.local.unprivileged import account_for, runnable
from shared.config.environment import child_environment
from shared.config.settings import Settings
from shared.paths import PATHS, PREFIX, Group, Path, Service
from shared.store.migrate import migrate
from tests.bench.cpu import pin, processors
from tests.bench.load import Address

HELLO = FilePath(__file__).with_name("hello.py")
HELLO_PATH = Path("/hello", Service.DISCOVERY)
SECRET_KEY = "the-benchmarks-own-and-no-secret-at-all"


@dataclass(frozen=True, slots=True)
class BenchStores:
    """Running stores, and settings that name them."""

    settings: Settings
    postgresql: int  # its process id
    redis: int

    @property
    def database_url(self) -> str:
        assert self.settings.database_url
        return self.settings.database_url.get_secret_value()


@dataclass(frozen=True, slots=True)
class BenchTarget:
    """Process ids, and where to send requests."""

    services: dict[Service, int]
    hello: int
    proxies: tuple[int, ...]  # one before the services, and one before hello
    direct: dict[Service, Address]
    proxied: dict[Service, Address]
    hello_direct: Address
    hello_proxied: Address


async def _start(stack: AsyncExitStack, of: Command) -> int:
    child = Child(of)
    stack.push_async_callback(child.stop)
    await child.start()
    assert child.process is not None
    return child.process.pid


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class BenchDeployment:
    """Folders of a run, and what it has started in them."""

    folder: FilePath
    sockets: FilePath
    copies: FilePath
    stack: AsyncExitStack
    measured: frozenset[int]  # the processor that services and `hello.py` have for themselves

    async def start_stores(self) -> BenchStores:
        """Durable as in production, migrated, and empty."""
        cluster = self.folder / "postgres"
        account = account_for(cluster)
        binaries = runnable(postgres.find_binaries(), account, self.copies)
        database = postgres.Postgres(binaries, cluster, self.sockets, self.folder / "postgres.log", account)
        cache = valkey.Valkey(
            valkey.find_binary(), self.folder / "valkey", self.sockets, self.folder / "valkey.log"
        )
        database.prepare()
        cache.prepare()
        postgresql, redis = [await _start(self.stack, server.command()) for server in (database, cache)]
        await migrate(database.url)
        settings = Settings(
            issuer=f"http://localhost:{_free_port()}{PREFIX}",
            database_url=SecretStr(database.url),
            redis_url=SecretStr(cache.url),
            secret_key=(SecretStr(SECRET_KEY),),
        )
        return BenchStores(settings, postgresql, redis)

    async def start_services(
        self, settings: Settings, wanted: Collection[Service], workers: int
    ) -> BenchTarget:
        """The services *wanted*, each with so many *workers*, the proxy in front of them, and `hello.py`."""
        environment = {
            **child_environment(settings, 0),
            "OSTIARY_ISSUER": settings.issuer,
            "OSTIARY_RATE_LIMITS": "off",
            "OSTIARY_DRAIN_DELAY": "0s",
            "OSTIARY_WORKER": "alone",  # sealing what the filling left in the audit log is no request's cost
        }
        services = {
            service: await self._start_measured(
                command(service, self.sockets, environment, self.folder / f"{service}.log", workers=workers)
            )
            for service in wanted
        }
        hello = await self._start_measured(self._hello())
        port = caddy.site_of(settings.origin).port
        public = [path for path in PATHS if path.group is Group.PUBLIC]
        sockets = {service: socket_of(self.sockets, service) for service in Service}
        hello_port, hellos = _free_port(), dict.fromkeys(Service, self._hello_socket)
        return BenchTarget(
            services=services,
            hello=hello,
            proxies=(
                await self._start_proxy("caddy", port, public, sockets),
                await self._start_proxy("hello-caddy", hello_port, [HELLO_PATH], hellos),
            ),
            direct={service: str(sockets[service]) for service in wanted},
            proxied=dict.fromkeys(wanted, ("127.0.0.1", port)),
            hello_direct=str(self._hello_socket),
            hello_proxied=("127.0.0.1", hello_port),
        )

    async def _start_proxy(
        self, name: str, port: int, paths: Sequence[Path], sockets: Mapping[Service, FilePath]
    ) -> int:
        site = caddy.site_of(f"http://localhost:{port}")
        configuration = self.folder / name
        configuration.mkdir()
        proxy = caddy.Caddy(
            caddy.find_binary(), site, configuration / "state", configuration, self.folder / f"{name}.log"
        )
        upstreams = {service: f"unix/{socket}" for service, socket in sockets.items()}
        proxy.prepare(caddyfile(paths, site, upstreams))
        return await _start(self.stack, proxy.command())

    async def _start_measured(self, of: Command) -> int:
        pid = await _start(self.stack, of)
        pin(pid, self.measured)
        return pid

    @property
    def _hello_socket(self) -> FilePath:
        return self.sockets / "hello.sock"

    def _hello(self) -> Command:
        async def is_ready(_: int) -> bool:
            return self._hello_socket.exists()

        return Command(
            name="hello",
            argv=(sys.executable, str(HELLO), str(self._hello_socket)),
            env={},
            log=self.folder / "hello.log",
            is_ready=is_ready,
        )

    def faults(self) -> Sequence[str]:
        """What the services' logs hold that they should not, a line each."""
        lines = (
            line
            for service in Service
            if (log := self.folder / f"{service}.log").exists()
            for line in log.read_text("utf-8", "replace").splitlines()
        )
        return [line for line in lines if '"level":"error"' in line or "Traceback" in line]


@asynccontextmanager
async def deployment() -> AsyncIterator[BenchDeployment]:
    """A folder to deploy in; what was started there is stopped, and the folder goes."""
    with (
        TemporaryDirectory(prefix="ostiary-bench-") as folder,
        run_folder() as sockets,
        run_folder(0o755) as copies,
        processors() as measured,
    ):
        async with AsyncExitStack() as stack:
            yield BenchDeployment(FilePath(folder), sockets, copies, stack, measured)
