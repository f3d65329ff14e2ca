"""A proxy with the configuration that deploy/proxies renders, on free ports, in its own folder."""

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Self

from deploy.local.caddy import find_binary
from deploy.local.child import Command
from deploy.proxies import caddy, envoy, haproxy, nginx
from deploy.proxies.site import Site
from shared.paths import PATHS, Service
from shared.paths import Path as MappedPath
from tests.certificates import CertificateFiles, a_certificate
from tests.flow.door import TlsDoor
from tests.flow.starter import free_port
from tests.tools import needs

RENDERERS = {
    "nginx": nginx.render,
    "caddy": caddy.render,
    "haproxy": haproxy.render,
    "envoy": envoy.render,
}
CONFIGURATIONS = {
    "nginx": "nginx.conf",
    "caddy": "Caddyfile",
    "haproxy": "haproxy.cfg",
    "envoy": "envoy.json",
}


@dataclass(frozen=True, slots=True)
class ProxyServer:
    """One proxy: its kind, folder, certificate and two ports."""

    kind: str
    folder: Path
    files: CertificateFiles
    port: int
    internal_port: int
    mtls_port: int

    @classmethod
    def new(cls, folder: Path, kind: str = "nginx") -> Self:
        """In *folder*, which must be there."""
        return cls(kind, folder, a_certificate("localhost", folder), *(free_port() for _ in range(3)))

    @property
    def door(self) -> TlsDoor:
        """The public listener."""
        return TlsDoor(f"https://localhost:{self.port}", self.files.ca_file)

    @property
    def internal_door(self) -> TlsDoor:
        """The administration's listener."""
        return TlsDoor(f"https://localhost:{self.internal_port}", self.files.ca_file)

    @property
    def mtls_door(self) -> TlsDoor:
        """The listener that asks for certificates, if there is one."""
        return replace(self.door, port=self.mtls_port)

    @property
    def program(self) -> str:
        """The proxy; without it, the test skips."""
        return str(find_binary()) if self.kind == "caddy" else needs(self.kind)

    @property
    def configuration(self) -> Path:
        """The rendered file."""
        return self.folder / CONFIGURATIONS[self.kind]

    def write(
        self,
        upstreams: Mapping[Service, Sequence[str]],
        paths: Sequence[MappedPath] = PATHS,
        drain_delay: timedelta = timedelta(0),
        host: str | None = None,
        *,
        has_mtls: bool = False,
    ) -> None:
        """Write the configuration that maps *paths* to *upstreams*. *host*: the issuer's, if another."""
        site = Site(
            host=host or f"localhost:{self.port}",
            listen=(f"127.0.0.1:{self.port}",),
            internal_listen=f"127.0.0.1:{self.internal_port}",
            mtls_listen=(f"127.0.0.1:{self.mtls_port}",) if has_mtls else (),
            certificate=str(self._certificate()),
            certificate_key=str(self.files.key_file),
            run_dir=str(self.folder),
            cache_dir=str(self.folder / "cache"),
            upstreams=upstreams,
            drain_delay=drain_delay,
        )
        self.configuration.write_text(RENDERERS[self.kind](site, paths), "utf-8")

    def _certificate(self) -> Path:
        if self.kind != "haproxy":
            return self.files.chain_file
        both = self.folder / "both.pem"
        both.write_text(self.files.chain_file.read_text() + self.files.key_file.read_text())
        return both

    def checked(self) -> tuple[str, ...]:
        """The command with which the proxy checks its configuration."""
        arguments = {
            "nginx": ("-t", *self.arguments),
            "caddy": ("validate", *self.arguments[1:]),
            "haproxy": ("-c", *self.arguments[1:]),
            "envoy": ("--mode", "validate", *self.arguments),
        }
        return (self.program, *arguments[self.kind])

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments with which it runs in the foreground."""
        configuration = str(self.configuration)
        match self.kind:
            case "caddy":
                return ("run", "--config", configuration, "--adapter", "caddyfile")
            case "haproxy":
                return ("-db", "-f", configuration)
            case "envoy":
                return ("--config-path", configuration, "--disable-hot-restart", "--log-level", "warn")
        # As root its workers would change to an account that may not enter the sockets' folder.
        user = " user root;" if os.geteuid() == 0 else ""
        return ("-p", str(self.folder), "-c", configuration, "-e", "stderr", "-g", f"daemon off;{user}")

    def command(self) -> Command:
        """How it is started."""
        home = str(self.folder)  # otherwise Caddy writes to ~/.local and ~/.config
        return Command(
            name=self.kind,
            argv=(self.program, *self.arguments),
            env={"PATH": os.defpath, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home},
            log=self.folder / f"{self.kind}.log",
            is_ready=self._is_ready,
            orphan_signal=signal.SIGTERM,  # its workers go with it
        )

    async def _is_ready(self, _pid: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True
