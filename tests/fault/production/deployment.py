"""The services behind nginx, over stores that are replicated."""

import asyncio
import random
import ssl
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from aiohttp import ClientSession, CookieJar, DummyCookieJar, TCPConnector, UnixConnector

from deploy.local.child import Child
from deploy.local.folders import run_folder
from deploy.local.service import command, socket_of
from shared.config.environment import child_environment
from shared.config.settings import Settings
from shared.paths import PREFIX, Service
from shared.store.migrate import migrate
from tests.authorization import Browser
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.fault.load import HANG_GUARD
from tests.fault.production.outside import Outside, outside
from tests.fault.production.pgbouncer import PgBouncer, pgbouncer
from tests.fault.production.postgresql import Cluster, cluster, url_of
from tests.fault.production.redis import Watched, clustered, watched
from tests.fault.topology import Replica, started
from tests.fault_proxy import FaultProxy, postgresql_proxy
from tests.flow.proxies import ProxyServer
from tests.flow.starter import ROOT
from tests.redis_layouts import Cluster as RedisCluster
from tests.tools import program_of


class Layout(StrEnum):
    """What stands between the services and their stores."""

    SENTINEL = "sentinel"  # PostgreSQL itself, and Redis with Sentinels
    POOLED = "pooled"  # PgBouncer before PostgreSQL
    CLUSTER = "cluster"  # Redis Cluster


DRAIN = timedelta(seconds=2)


@dataclass(slots=True)
class Deployment:
    """A running deployment. *links*: the first token process's way to each PostgreSQL."""

    postgresql: Cluster
    pooler: PgBouncer | None
    redis: Watched | RedisCluster
    settings: Settings
    world: World
    nginx: ProxyServer
    proxy: Child
    replicas: list[Replica]
    worker: Replica
    outside: Outside
    links: list[FaultProxy]
    folder: Path
    sockets: Path
    environment: Mapping[str, str]
    trust: ssl.SSLContext
    closing: AsyncExitStack
    sessions: list[ClientSession] = field(default_factory=list)

    @property
    def watched(self) -> Watched:
        """Redis with its Sentinels."""
        assert isinstance(self.redis, Watched)
        return self.redis

    @property
    def redis_cluster(self) -> RedisCluster:
        """The nodes of Redis Cluster."""
        assert isinstance(self.redis, RedisCluster)
        return self.redis

    def of(self, service: Service) -> list[Replica]:
        """The processes of a service."""
        return [replica for replica in self.replicas if replica.service == service]

    def any_of(self, chance: random.Random) -> list[Replica]:
        """One process of each service."""
        return [chance.choice(self.of(service)) for service in Service]

    async def browser(self) -> Browser:
        """A browser without cookies at the proxy."""
        return Browser(await self.session())

    async def session(self, *, has_jar: bool = True) -> ClientSession:
        """Connections to the proxy, with cookies of their own or none."""
        http = ClientSession(
            self.nginx.door.origin,
            connector=TCPConnector(ssl=self.trust, limit=0),
            cookie_jar=CookieJar(unsafe=True) if has_jar else DummyCookieJar(),
        )
        return await self.closing.enter_async_context(http)

    async def until_ready(self) -> None:
        """Return when every process is ready."""
        async with asyncio.timeout(HANG_GUARD):
            for replica in (*self.replicas, self.worker):
                while not replica.child.is_running or await replica.readiness() != 200:
                    await asyncio.sleep(0.05)


@dataclass(slots=True)
class _Starter:
    """Starts processes over the same stores."""

    sockets: Path
    folder: Path
    environment: Mapping[str, str]
    closing: AsyncExitStack
    planted: str | None

    async def process(self, service: Service, name: str, **others: str) -> Replica:
        """A process that has not started. *others*: settings of its own."""
        own = self.sockets / name
        own.mkdir()
        socket = socket_of(own, service)
        start = command(service, own, {**self.environment, **others}, self.folder / f"{name}.log")
        if self.planted:
            argv = (sys.executable, "-m", "tests.planted", self.planted, service, f"unix:{socket}")
            start = replace(start, argv=argv, cwd=ROOT)
        http = ClientSession("http://localhost", connector=UnixConnector(str(socket), limit=0))
        return Replica(service, Child(start), socket, await self.closing.enter_async_context(http))

    async def worker(self) -> Replica:
        """The worker alone, started."""
        replica = await self.process(Service.TOKEN, "worker")
        start = replica.child.command
        argv = ["worker" if word == Service.TOKEN else word for word in start.argv]
        replica.child.command = replace(start, name="The worker", argv=tuple(argv))
        await self.closing.enter_async_context(started(replica.child))
        return replica

    async def replicas(self, count: int, **others: str) -> list[Replica]:
        """The processes, started a few at a time. *others*: settings of the first token process."""
        replicas: list[Replica] = []
        for number in range(count):
            for service in Service:
                own = others if service == Service.TOKEN and number == 0 else {}
                replicas.append(await self.process(service, f"{service}-{number}", **own))
            await self.closing.enter_async_context(
                started(*(each.child for each in replicas[-len(Service) :]))
            )
        return replicas


async def _links(
    targets: Sequence[str], sockets: Path, closing: AsyncExitStack
) -> tuple[list[FaultProxy], str]:
    """A fault proxy before each of several URLs, and the URL that leads through them."""
    links = []
    for number, target in enumerate(targets):
        folder = sockets / f"link-{number}"
        folder.mkdir()
        link, _ = await closing.enter_async_context(postgresql_proxy(target, folder))
        links.append(link)
    return links, url_of(sockets / f"link-{number}" for number in range(len(links)))


@asynccontextmanager
async def deployed(
    folder: Path, replicas: int, layout: Layout, planted: str | None = None
) -> AsyncIterator[Deployment]:
    """A deployment with its data in *folder*. *planted*: defects of its processes."""
    with run_folder(0o755) as sockets, run_folder(0o755) as copies:
        async with AsyncExitStack() as closing:
            enter = closing.enter_async_context
            postgresql = await enter(cluster(folder, sockets, copies))
            redis: Watched | RedisCluster
            if layout is Layout.CLUSTER:
                redis = await enter(clustered(folder))
            else:
                redis = await enter(watched(folder))
            await migrate(postgresql.primary.postgres.url)
            pooler = None
            if layout is Layout.POOLED:
                program = program_of("pgbouncer") or "pgbouncer"
                pooler = await enter(pgbouncer(program, postgresql.primary, sockets / "pgbouncer"))
            nginx = ProxyServer.new(folder)
            settings = settings_for(
                pooler.url if pooler else postgresql.url,
                redis.url,
                database_direct_url=postgresql.url,
                issuer=nginx.door.origin + PREFIX,
                rate_limits="off",
                root_aliases="on",
                drain_delay=f"{DRAIN.total_seconds():.0f}s",
            )
            world, servers = await enter(open_world(settings)), await enter(outside())
            environment = child_environment(settings, 0) | {
                "OSTIARY_ISSUER": settings.issuer,
                "OSTIARY_RATE_LIMITS": "off",
                "OSTIARY_WORKER": "alone",
                "OSTIARY_DATABASE_DIRECT_URL": postgresql.url if pooler else "",
                "OSTIARY_FETCH_ALLOW": f"{servers.authority},{servers.silent_authority}",
                "PYTHONPATH": str(ROOT),
            }
            starter = _Starter(sockets, folder, environment, closing, planted)
            targets = [pooler.url] if pooler else [node.postgres.url for node in postgresql.nodes]
            links, linked_url = await _links(targets, sockets, closing)
            worker = await starter.worker()
            processes = await starter.replicas(replicas, OSTIARY_DATABASE_URL=linked_url)
            upstreams = {
                service: [f"unix:{each.socket}" for each in processes if each.service == service]
                for service in Service
            }
            nginx.write(upstreams, drain_delay=DRAIN)
            proxy = Child(nginx.command())
            await enter(started(proxy))
            yield Deployment(
                postgresql=postgresql,
                pooler=pooler,
                redis=redis,
                settings=settings,
                world=world,
                nginx=nginx,
                proxy=proxy,
                replicas=processes,
                worker=worker,
                outside=servers,
                links=links,
                folder=folder,
                sockets=sockets,
                environment=environment,
                trust=ssl.create_default_context(cafile=nginx.files.ca_file),
                closing=closing,
            )
