"""Apache with mod_auth_openidc: a relying party of one page."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from deploy.local.child import Child, Command
from deploy.local.folders import run_folder
from tests.flow.op import Op
from tests.flow.starter import free_port
from tests.tools import needs

MODULES = Path("/usr/lib/apache2/modules")
TEMPLATE = Template((Path(__file__).parent / "httpd.conf.template").read_text("utf-8"))
CONTENT = "For signed-in users only."


@dataclass(frozen=True, slots=True)
class PlainDoor:
    """A server without TLS on loopback."""

    origin: str

    def open(self, target: str) -> socket.socket:
        """A connection to Apache, for any *target*."""
        return socket.create_connection(("127.0.0.1", int(self.origin.rpartition(":")[2])), 30)


@dataclass(frozen=True, slots=True)
class Apache:
    """A running Apache, and its log."""

    door: PlainDoor
    log: Path

    @property
    def page(self) -> str:
        """The address of the page."""
        return f"{self.door.origin}/protected/index.html"


@contextmanager
def apache(op: Op, port: int | None = None, **logout: str) -> Iterator[Apache]:
    """Apache as a confidential client of *op*, in its own folder, which other accounts may enter.

    *logout*: client metadata whose values are queries of its redirect URI, to which logouts are sent.
    """
    with run_folder(0o755) as folder:
        yield from _running(op, folder, port or free_port(), logout)


def _running(op: Op, folder: Path, port: int, logout: Mapping[str, str]) -> Iterator[Apache]:
    program = needs("apache", MODULES / "mod_auth_openidc.so")
    origin = f"http://localhost:{port}"
    redirect_uri = f"{origin}/protected/redirect_uri"
    client = op.add_client(
        client_name="Apache",
        redirect_uris=[redirect_uri],
        scope="openid profile email",
        **{name: f"{redirect_uri}?{query}" for name, query in logout.items()},
    )
    (folder / "pages" / "protected").mkdir(parents=True)
    (folder / "pages" / "protected" / "index.html").write_text(CONTENT)
    shutil.copyfile(op.ca_file, folder / "ca.pem")  # the account of Apache's children may read this one
    configuration = TEMPLATE.substitute(
        folder=folder,
        port=port,
        user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
        modules=MODULES,
        issuer=op.issuer,
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        passphrase=secrets.token_urlsafe(32),
        ca_file=folder / "ca.pem",
    )
    (folder / "httpd.conf").write_text(configuration)

    async def is_ready(_pid: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    child = Child(
        Command(
            name="Apache",
            argv=(program, "-f", str(folder / "httpd.conf"), "-DFOREGROUND"),
            env={"PATH": os.defpath},
            log=folder / "output.log",
            is_ready=is_ready,
            orphan_signal=signal.SIGTERM,
        )
    )
    try:
        asyncio.run(child.start())
        yield Apache(PlainDoor(origin), folder / "error.log")
    finally:
        asyncio.run(child.stop())
