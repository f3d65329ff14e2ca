"""The nginx configuration, rendered from the path map."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from string import Template

from shared.paths import PATHS, PREFIX, Group, Path, Service

TEMPLATE = Template((FilePath(__file__).parent / "nginx.conf.template").read_text("utf-8"))

DEFAULT_UPSTREAMS: Mapping[Service, Sequence[str]] = {
    Service.DISCOVERY: ("127.0.0.1:8101",),
    Service.AUTHORIZATION: ("127.0.0.1:8102",),
    Service.TOKEN: ("127.0.0.1:8103",),
    Service.CLIENT_REGISTRY: ("127.0.0.1:8104",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What differs between deployments. Listeners and servers are written as nginx writes them."""

    host: str = "id.example.org"  # the issuer's, with its port unless that is 443
    listen: str = "443"
    internal_listen: str = "127.0.0.1:8444"
    certificate: str = "/etc/ostiary/tls/fullchain.pem"
    certificate_key: str = "/etc/ostiary/tls/privkey.pem"
    run_dir: str = "/var/lib/nginx"
    cache_dir: str = "/var/cache/nginx/ostiary"
    upstreams: Mapping[Service, Sequence[str]] = field(default_factory=lambda: DEFAULT_UPSTREAMS)
    has_root_aliases: bool = True


def _matcher(path: Path) -> str:
    """Exact where the path is; whole segments where it has parameters."""
    if "{" not in path.path:
        return f"= {path}"
    parts = re.split(r"(\{[a-z_]+\})", path.path)
    return "~ ^" + "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts) + "$"


def _locations(paths: Iterable[Path]) -> str:
    return "\n".join(
        f"        location {_matcher(path)} {{ "
        + ("proxy_cache ostiary; " if path.is_cacheable else "")
        + f"proxy_pass http://ostiary_{path.service.replace('-', '_')}; }}"
        for path in paths
    )


def _upstreams(upstreams: Mapping[Service, Sequence[str]]) -> str:
    blocks = []
    for service, servers in upstreams.items():
        listed = "".join(f"        server {server} max_fails=1 fail_timeout=2s;\n" for server in servers)
        name = service.replace("-", "_")
        blocks.append(f"    upstream ostiary_{name} {{\n{listed}        keepalive 64;\n    }}")
    return "\n".join(blocks)


def _administration(site: Site) -> str:
    paths = [path for path in PATHS if path.group is Group.ADMINISTRATION]
    if not paths:
        return ""
    locations = _locations(paths)
    return f"""
    server {{
        listen {site.internal_listen} ssl http2;
        server_name _;
        ssl_certificate {site.certificate};
        ssl_certificate_key {site.certificate_key};

{locations}
        location / {{ return 404; }}
    }}"""


def render(site: Site) -> str:
    """The whole nginx.conf."""
    groups = {Group.PUBLIC, Group.ROOT_ALIAS} if site.has_root_aliases else {Group.PUBLIC}
    return TEMPLATE.substitute(
        host=site.host,
        listen=site.listen,
        certificate=site.certificate,
        certificate_key=site.certificate_key,
        run_dir=site.run_dir,
        cache_dir=site.cache_dir,
        prefix=PREFIX,
        upstreams=_upstreams(site.upstreams),
        public_locations=_locations(path for path in PATHS if path.group in groups),
        administration=_administration(site),
    )
