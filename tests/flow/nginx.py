"""nginx with the configuration that deploy/nginx renders, on free ports, in its own folder."""

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from deploy.local.child import Command
from deploy.nginx.render import Site, render
from shared.paths import PATHS, Service
from shared.paths import Path as MappedPath
from tests.certificates import CertificateFiles, a_certificate
from tests.flow.door import TlsDoor
from tests.flow.starter import free_port


@dataclass(frozen=True, slots=True)
class Nginx:
    """One nginx: its folder, certificate and two ports."""

    folder: Path
    files: CertificateFiles
    port: int
    internal_port: int

    @classmethod
    def new(cls, folder: Path) -> Self:
        """In *folder*, which must be there."""
        return cls(folder, a_certificate("localhost", folder), free_port(), free_port())

    @property
    def door(self) -> TlsDoor:
        """The public listener."""
        return TlsDoor(f"https://localhost:{self.port}", self.files.ca_file)

    @property
    def internal_door(self) -> TlsDoor:
        """The administration's listener."""
        return TlsDoor(f"https://localhost:{self.internal_port}", self.files.ca_file)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of every call of nginx."""
        # As root its workers would change to an account that may not enter the sockets' folder.
        user = " user root;" if os.geteuid() == 0 else ""
        configuration = str(self.folder / "nginx.conf")
        return ("-p", str(self.folder), "-c", configuration, "-e", "stderr", "-g", f"daemon off;{user}")

    def write(
        self,
        upstreams: Mapping[Service, Sequence[str]],
        paths: Sequence[MappedPath] = PATHS,
        drain_delay: timedelta = timedelta(seconds=5),
    ) -> None:
        """Writes the configuration that maps *paths* to *upstreams*."""
        site = Site(
            host=f"localhost:{self.port}",
            listen=(f"127.0.0.1:{self.port}",),
            internal_listen=f"127.0.0.1:{self.internal_port}",
            certificate=str(self.files.chain_file),
            certificate_key=str(self.files.key_file),
            run_dir=str(self.folder),
            cache_dir=str(self.folder / "cache"),
            upstreams=upstreams,
            drain_delay=drain_delay,
        )
        (self.folder / "nginx.conf").write_text(render(site, paths), "utf-8")

    def command(self, program: str) -> Command:
        """How *program* is started."""
        return Command(
            name="nginx",
            argv=(program, *self.arguments),
            env={"PATH": os.defpath},
            log=self.folder / "nginx.log",
            is_ready=self._is_ready,
            orphan_signal=signal.SIGTERM,  # its workers go with it
        )

    async def _is_ready(self, _pid: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True
