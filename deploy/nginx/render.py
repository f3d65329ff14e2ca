"""The nginx configuration, rendered from the path map."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path as FilePath
from string import Template

from shared.paths import PATHS, PREFIX, Group, Path, Service

TEMPLATE = Template((FilePath(__file__).parent / "nginx.conf.template").read_text("utf-8"))

DEFAULT_UPSTREAMS: Mapping[Service, Sequence[str]] = {
    Service.DISCOVERY: ("127.0.0.1:8101",),
    Service.AUTHORIZATION: ("127.0.0.1:8102",),
    Service.TOKEN: ("127.0.0.1:8103",),
    Service.CLIENT_REGISTRY: ("127.0.0.1:8104",),
    Service.ACCOUNTS: ("127.0.0.1:8105",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The values that differ between deployments. Listeners and servers use nginx's syntax."""

    host: str = "id.example.org"  # the issuer's, with its port unless that is 443
    listen: Sequence[str] = ("443", "[::]:443")
    internal_listen: str = "127.0.0.1:8444"
    certificate: str = "/etc/ostiary/tls/fullchain.pem"
    certificate_key: str = "/etc/ostiary/tls/privkey.pem"
    run_dir: str = "/var/lib/nginx"
    cache_dir: str = "/var/cache/nginx/ostiary"
    upstreams: Mapping[Service, Sequence[str]] = field(default_factory=lambda: DEFAULT_UPSTREAMS)
    has_root_aliases: bool = True
    drain_delay: timedelta = timedelta(seconds=5)  # of the services


# The request that fills the cache is forwarded without its query and its headers.
CACHED = 'proxy_cache ostiary; set $args ""; proxy_pass_request_headers off; '

UNAVAILABLE = """
        location @unavailable {
            default_type application/json;
            add_header Retry-After 1 always;
            add_header Cache-Control no-store always;
            add_header Strict-Transport-Security "max-age=31536000" always;
            return 503 '{"error":"temporarily_unavailable"}';
        }
        location @too_large {
            default_type text/plain;
            add_header Cache-Control no-store always;
            return 431 "The header fields are larger than 32 KiB. Deleting this site's cookies may help.\\n";
        }"""


def _matcher(path: Path) -> str:
    """An exact match, or whole segments if the path has parameters."""
    if "{" not in path.path:
        return f"= {path}"
    parts = re.split(r"(\{[a-z_]+\})", path.path)
    return "~ ^" + "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts) + "$"


def _locations(paths: Iterable[Path]) -> str:
    return "\n".join(
        f"        location {_matcher(path)} {{ "
        + (CACHED if path.is_cacheable else "")
        + f"proxy_pass http://ostiary_{path.service.replace('-', '_')}; }}"
        for path in paths
    )


def _upstreams(site: Site) -> str:
    """The servers of each service.

    Both waits are shorter than the drain delay, during which a stopping process still serves. So a server
    that was down is tried again before the next one stops, and nginx is the first to close idle connections.
    """
    seconds = max(1, int(site.drain_delay.total_seconds() / 2))
    blocks = []
    for service, servers in site.upstreams.items():
        listed = "".join(
            f"        server {server} max_fails=1 fail_timeout={seconds}s;\n" for server in servers
        )
        name = service.replace("-", "_")
        keepalive = f"        keepalive 64;\n        keepalive_timeout {seconds}s;\n"
        blocks.append(f"    upstream ostiary_{name} {{\n{listed}{keepalive}    }}")
    return "\n".join(blocks)


def _listen(addresses: Sequence[str]) -> str:
    return "\n".join(f"        listen {address} ssl http2;" for address in addresses)


def render(site: Site, paths: Sequence[Path] = PATHS) -> str:
    """The whole nginx.conf, which maps *paths*."""
    groups = {Group.PUBLIC, Group.ROOT_ALIAS} if site.has_root_aliases else {Group.PUBLIC}
    return TEMPLATE.substitute(
        host=site.host,
        listen=_listen(site.listen),
        certificate=site.certificate,
        certificate_key=site.certificate_key,
        run_dir=site.run_dir,
        cache_dir=site.cache_dir,
        prefix=PREFIX,
        upstreams=_upstreams(site),
        public_locations=_locations(path for path in paths if path.group in groups),
        internal_listen=_listen([site.internal_listen]),
        administration_locations=_locations(path for path in paths if path.group is Group.ADMINISTRATION),
        unavailable=UNAVAILABLE,
    )
