"""The reverse proxy in front of the services, on the issuer's host and port."""

import asyncio
import errno
import os
import socket
import ssl
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.caddyfile import ProxySite
from deploy.local.child import INSTALL, Command, RunError
from shared.config.loopback import is_loopback
from shared.paths import PREFIX

FOLDER = "caddy"  # in the data folder


def find_binary() -> Path:
    """`caddy` in the virtual environment. Raises RunError if it is missing."""
    binary = Path(sysconfig.get_path("scripts")) / "caddy"
    if not binary.exists():
        raise RunError(f"Caddy is not installed: {INSTALL}")
    return binary


def site_of(origin: str) -> ProxySite:
    """The proxy's listening addresses for *origin*: only loopback interfaces for a loopback host."""
    url = urlsplit(origin)
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    address = f"[{host}]" if ":" in host else host
    if not is_loopback(host) or host.replace(".", "").isdecimal() or ":" in host:
        return ProxySite(url.scheme, address, port, (address,))
    return ProxySite(url.scheme, address, port, ("127.0.0.1", "[::1]") if _has_ipv6() else ("127.0.0.1",))


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def check_is_free(site: ProxySite) -> None:
    """Raises RunError if another program listens on the port. Caddy itself would share it."""
    for bind in site.binds:
        host = bind.strip("[]")
        try:
            family = socket.getaddrinfo(host, site.port, type=socket.SOCK_STREAM)[0][0]
            socket.create_server((host, site.port), family=family).close()
        except OSError as error:
            raise RunError(_why_not(site, error)) from None


def _why_not(site: ProxySite, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = f"{site.scheme}://{site.address}:{site.port + 1}{PREFIX}"
        return (
            f"Port {site.port} is in use by another program: stop it, or set OSTIARY_ISSUER, such as {other}"
        )
    if error.errno == errno.EACCES:
        return f"Only root may listen on port {site.port}: set OSTIARY_ISSUER to a port above 1023"
    return f"This machine cannot listen on {site.address}:{site.port} ({error.strerror}): set OSTIARY_ISSUER"


def local_ca(data: Path) -> Path | None:
    """The certificate of the local CA in the data folder, once a run there has served TLS."""
    certificate = _root_certificate(data / FOLDER)
    return certificate if certificate.exists() else None


def _root_certificate(state: Path) -> Path:
    return state / "pki" / "authorities" / "local" / "root.crt"


@dataclass(frozen=True, slots=True)
class Caddy:
    """The proxy, and the folder of its local CA."""

    binary: Path
    site: ProxySite
    state: Path
    sockets: Path
    log: Path

    @property
    def root_certificate(self) -> Path:
        """The certificate of the local CA, which clients must trust."""
        return _root_certificate(self.state)

    @property
    def _configuration(self) -> Path:
        return self.sockets / "Caddyfile"

    def prepare(self, configuration: str) -> None:
        """Create the folder and write the *configuration*."""
        self.state.mkdir(exist_ok=True, mode=0o700)
        self._configuration.write_text(configuration, "utf-8")

    def command(self) -> Command:
        """The command that starts the proxy."""
        home = str(self.sockets)  # otherwise it writes to ~/.local and ~/.config
        return Command(
            name="Caddy",
            argv=(str(self.binary), "run", "--config", str(self._configuration), "--adapter", "caddyfile"),
            env={"PATH": os.defpath, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home},
            log=self.log,
            is_ready=self._is_ready,
            cwd=self.state,
        )

    async def _is_ready(self, _pid: int) -> bool:
        name = self.site.address.strip("[]") if self.site.scheme == "https" else None
        try:
            tls = ssl.create_default_context(cafile=self.root_certificate) if name else None
            _, writer = await asyncio.open_connection(  # Caddy listens before it has its certificate
                self.site.binds[0].strip("[]"), self.site.port, ssl=tls, server_hostname=name
            )
        except OSError:
            return False
        writer.close()
        return True
