"""What differs between deployments, for every proxy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from string import Template

from shared.paths import Service

DEFAULT_UPSTREAMS: Mapping[Service, Sequence[str]] = {
    Service.DISCOVERY: ("127.0.0.1:8101",),
    Service.AUTHORIZATION: ("127.0.0.1:8102",),
    Service.TOKEN: ("127.0.0.1:8103",),
    Service.CLIENT_REGISTRY: ("127.0.0.1:8104",),
    Service.ACCOUNTS: ("127.0.0.1:8105",),
}
UNIX = "unix:"
EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - the public listener is meant to be public


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Listeners are `PORT` or `ADDRESS:PORT`; servers are `HOST:PORT` or `unix:PATH`."""

    host: str = "id.example.org"  # the issuer's, with its port unless that is 443
    listen: Sequence[str] = ("443", "[::]:443")
    internal_listen: str = "127.0.0.1:8444"
    mtls_listen: Sequence[str] = ()  # asks clients for a certificate and passes it on (RFC 9440)
    certificate: str = "/etc/ostiary/tls/fullchain.pem"
    certificate_key: str = "/etc/ostiary/tls/privkey.pem"
    run_dir: str = "/var/lib/nginx"
    cache_dir: str = "/var/cache/nginx/ostiary"
    upstreams: Mapping[Service, Sequence[str]] = field(default_factory=lambda: DEFAULT_UPSTREAMS)
    has_root_aliases: bool = True
    drain_delay: timedelta = timedelta(seconds=5)  # of the services

    @property
    def wait(self) -> int:
        """Seconds: less than the drain delay, during which a stopping process still serves.

        So a server that was down is tried again before the next one stops, and the proxy is the first to
        close idle connections.
        """
        return max(1, int(self.drain_delay.total_seconds() / 2))

    @property
    def polling(self) -> str:
        """The interval of requests to `/readyz`: half the wait.

        A server is used after one success and left after two failures. So one that has just started is used
        before the next one, which stops then, is left.
        """
        return f"{self.wait * 500}ms"


class CannotRender(Exception):
    """The proxy has no way to do what the site needs."""


def listener(address: str) -> tuple[str, int]:
    """The address and the port of a listener; without an address, it is every IPv4 interface."""
    host, _, port = address.rpartition(":")
    return host or EVERY_INTERFACE, int(port)


def template(name: str) -> Template:
    """A template of this folder."""
    return Template((Path(__file__).parent / name).read_text("utf-8"))
