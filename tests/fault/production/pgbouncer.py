"""PgBouncer in transaction mode, between the services and the primary."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.child import Child, Command
from shared.store.postgres.transport.connection import SERVER_TIMEOUTS
from tests.fault.production.postgresql import Node, url_of
from tests.fault.topology import started
from tests.fault_proxy import POSTGRESQL_SOCKET

_CONFIGURATION = """
[databases]
ostiary = host={host} port=5432 user=services

[pgbouncer]
unix_socket_dir = {folder}/sockets
listen_port = 5432
auth_type = any
pool_mode = transaction
default_pool_size = 40
max_client_conn = 1000
server_fast_close = 1
server_login_retry = 0.5
logfile = {folder}/sockets/log
"""


@dataclass(slots=True)
class PgBouncer:
    """A pooler, and the server that it leads to."""

    folder: Path
    child: Child

    @property
    def sockets(self) -> Path:
        """The folder of its socket, to which its account may write."""
        return self.folder / "sockets"

    @property
    def url(self) -> str:
        """For the services."""
        return url_of([self.sockets])

    def lead_to(self, node: Node) -> None:
        """Write down where it connects."""
        text = _CONFIGURATION.format(host=node.folder, folder=self.folder)
        (self.folder / "pgbouncer.ini").write_text(text, "utf-8")

    def move_to(self, node: Node) -> None:
        """Connect to another server from now on, as after a failover."""
        self.lead_to(node)
        assert self.child.process
        self.child.process.send_signal(signal.SIGHUP)


def _copied(program: Path, folder: Path) -> Path:
    """A copy that every account can run, with the libraries beside it if it was unpacked, not installed."""
    copy = folder / "pgbouncer"
    shutil.copy(program, copy)
    copy.chmod(0o755)
    if (libraries := program.parent / "lib").is_dir():
        shutil.copytree(libraries, folder / "lib")
    return copy


async def _is_ready(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def pgbouncer(program: str, primary: Node, folder: Path) -> AsyncIterator[PgBouncer]:
    """A pooler before *primary*, whose role gets the timeouts that connections cannot set behind it."""
    for name, value in SERVER_TIMEOUTS.items():
        await primary.execute(f"ALTER ROLE services SET {name} = {value}")
    folder.mkdir(mode=0o755)
    sockets = folder / "sockets"
    sockets.mkdir()
    account = primary.postgres.account
    if account:
        os.chown(sockets, account.uid, account.gid)
    own = _copied(Path(program), folder)
    start = Command(
        name="PgBouncer",
        argv=(str(own), "-q", str(folder / "pgbouncer.ini")),
        env={"PATH": os.defpath, "LD_LIBRARY_PATH": str(folder / "lib")},
        log=folder / "output",
        is_ready=lambda _: _is_ready(sockets / POSTGRESQL_SOCKET),
        cwd=folder,
        stop_signal=signal.SIGINT,
        account=account,
    )
    pooler = PgBouncer(folder, Child(start))
    pooler.lead_to(primary)
    async with started(pooler.child):
        yield pooler
