"""PostgreSQL with standbys, of which one must confirm each commit."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg

from deploy.local.child import Child
from deploy.local.postgres import Postgres, find_binaries
from deploy.local.unprivileged import account_for, runnable
from tests.fault.topology import started

HANG_GUARD = 60.0
_ACCESS = "local all all trust\nlocal replication all trust\n"
_SYNCHRONOUS = "synchronous_standby_names = 'ANY 1 (*)'\n"
_ROLE = "CREATE ROLE services LOGIN; GRANT ostiary TO services"


@dataclass(slots=True)
class Node:
    """One server. It is a standby while it follows another one."""

    postgres: Postgres
    child: Child

    @property
    def folder(self) -> Path:
        return self.postgres.sockets / "postgres"

    def follow(self, primary: "Node | None") -> None:
        """Let the server be a standby of *primary* from its next start on, or a primary."""
        cluster = self.postgres.cluster
        settings = _SYNCHRONOUS
        if primary:
            settings += f"primary_conninfo = 'host={primary.folder} user=ostiary'\n"
            (cluster / "standby.signal").touch()
        (cluster / "postgresql.auto.conf").write_text(settings, "utf-8")
        if self.postgres.account:
            for name in ("standby.signal", "postgresql.auto.conf"):
                if (cluster / name).exists():
                    os.chown(cluster / name, self.postgres.account.uid, self.postgres.account.gid)

    async def operator(self) -> asyncpg.Connection:
        """A connection as the owner, to be closed."""
        return await asyncpg.connect(self.postgres.url)

    async def execute(self, sql: str) -> str:
        """A statement of the owner, alone."""
        connection = await self.operator()
        try:
            return str(await connection.execute(sql))
        finally:
            await connection.close()


def url_of(folders: Iterable[Path]) -> str:
    """The URL that names the sockets in several folders."""
    hosts = [quote(str(folder)) for folder in folders]
    ports = ",".join(["5432"] * len(hosts))
    return f"postgresql://services@/ostiary?host={','.join(hosts)}&port={ports}&sslmode=disable"


@dataclass(slots=True)
class Cluster:
    """The servers, the primary first."""

    nodes: list[Node]

    @property
    def primary(self) -> Node:
        return self.nodes[0]

    @property
    def url(self) -> str:
        """For the services: every server, of which they use the one that accepts writes."""
        return url_of(sorted(node.folder for node in self.nodes))

    async def until_synchronous(self) -> None:
        """Return when a standby confirms commits."""
        async with asyncio.timeout(HANG_GUARD):
            connection = await self.primary.operator()
            while not await connection.fetchval(
                "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'quorum'"
            ):
                await asyncio.sleep(0.1)
            await connection.close()

    async def fail_over(self) -> None:
        """Stop the primary, promote the first standby, and let the others follow it."""
        old, new, *others = self.nodes
        await old.child.stop()
        await new.execute("SELECT pg_promote()")
        self.nodes = [new, *others, old]
        for other in others:
            other.follow(new)
            await other.execute("SELECT pg_reload_conf()")
        old.follow(new)
        await old.child.start()
        await self.until_synchronous()


@asynccontextmanager
async def cluster(folder: Path, sockets: Path, copies: Path, standbys: int = 2) -> AsyncIterator[Cluster]:
    """A primary and its standbys, which begin as copies of it."""
    nodes: list[Node] = []
    for number in range(standbys + 1):
        own = sockets / f"pg{number}"
        own.mkdir(mode=0o755)
        data = folder / f"cluster-{number}"
        account = account_for(data)
        binaries = runnable(find_binaries(), account, copies) if number == 0 else nodes[0].postgres.binaries
        postgres = Postgres(binaries, data, own, folder / f"postgres-{number}.log", account, is_durable=True)
        if number == 0:
            postgres.prepare()
            (data / "pg_hba.conf").write_text(_ACCESS, "ascii")
        else:
            await asyncio.to_thread(_copy, nodes[0].postgres.cluster, data)
            postgres.prepare()
        nodes.append(Node(postgres, Child(postgres.command())))
    primary = nodes[0]
    async with started(primary.child):
        await primary.execute(_ROLE)
        primary.follow(None)
        await primary.execute("SELECT pg_reload_conf()")
        for standby in nodes[1:]:
            standby.follow(primary)
        async with started(*(standby.child for standby in nodes[1:])):
            running = Cluster(nodes)
            await running.until_synchronous()
            yield running


def _copy(cluster: Path, target: Path) -> None:
    shutil.copytree(cluster, target, symlinks=True)
    owner = cluster.stat()
    target.chmod(0o700)
    for path in (target, *target.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
