"""nginx's configuration."""

from collections.abc import Iterable, Sequence

from deploy.proxies import routes
from deploy.proxies.limits import CIPHERS
from deploy.proxies.site import Site, template
from shared.paths import PATHS, PREFIX, Path

TEMPLATE = template("nginx.conf.template")

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
    return f"~ ^{routes.expression(path)}$" if routes.has_parameter(path) else f"= {path}"


def _locations(paths: Iterable[Path]) -> str:
    return "\n".join(
        f"        location {_matcher(path)} {{ "
        + (CACHED if path.is_cacheable else "")
        + f"proxy_pass http://ostiary_{path.service.replace('-', '_')}; }}"
        for path in paths
    )


def _upstreams(site: Site) -> str:
    """The servers of each service."""
    blocks = []
    for service, servers in site.upstreams.items():
        listed = "".join(
            f"        server {server} max_fails=1 fail_timeout={site.wait}s;\n" for server in servers
        )
        name = service.replace("-", "_")
        keepalive = f"        keepalive 64;\n        keepalive_timeout {site.wait}s;\n"
        blocks.append(f"    upstream ostiary_{name} {{\n{listed}{keepalive}    }}")
    return "\n".join(blocks)


def _listen(addresses: Sequence[str]) -> str:
    return "\n".join(f"        listen {address} ssl http2;" for address in addresses)


def render(site: Site, paths: Sequence[Path] = PATHS) -> str:
    """The whole nginx.conf, which maps *paths*."""
    return TEMPLATE.substitute(
        host=site.host,
        ciphers=":".join(CIPHERS),
        listen=_listen(site.listen),
        certificate=site.certificate,
        certificate_key=site.certificate_key,
        run_dir=site.run_dir,
        cache_dir=site.cache_dir,
        prefix=PREFIX,
        ambiguous=routes.AMBIGUOUS.replace("\\\\", "\\" * 4),  # nginx reads two backslashes as one
        upstreams=_upstreams(site),
        public_locations=_locations(routes.public(paths, has_root_aliases=site.has_root_aliases)),
        internal_listen=_listen([site.internal_listen]),
        administration_locations=_locations(routes.administration(paths)),
        unavailable=UNAVAILABLE,
    )
