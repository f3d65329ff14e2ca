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

# Any other path below the issuer: the authorization service has an error page for it.
BELOW = f"""
        location = {PREFIX} {{ return 404; }}
        location = {PREFIX}/ {{ return 404; }}
        location {PREFIX}/ {{ proxy_pass http://ostiary_authorization; }}"""
LIMITED = "        limit_conn addresses 200;\n"
ANY_CERTIFICATE = "        ssl_verify_client optional_no_ca;  # a service judges it\n"
CERTIFICATE_LINES = 64  # of 48 bytes each: the certificate of an RSA key of 4096 bits has about 30


def _certificate_map() -> str:
    """The certificate of RFC 9440 §2.2 from the lines of the PEM that nginx has. A longer one is dropped."""
    numbers = range(1, CERTIFICATE_LINES + 1)
    lines = "".join(rf"(?<line{number}>[^\n-]{{0,64}}+)\n?+" for number in numbers)
    whole = "".join(f"$line{number}" for number in numbers)
    return f"""    map $ssl_client_raw_cert $client_certificate {{
        default "";
        "~^-----BEGIN CERTIFICATE-----\\n{lines}-----END CERTIFICATE-----\\n?$" ":{whole}:";
    }}

"""


def _server(site: Site, addresses: Sequence[str], locations: str, directives: str = "") -> str:
    """A server on *addresses* with *locations*, and nothing else."""
    return f"""    server {{
{_listen(addresses)}
        server_name _;
        ssl_certificate {site.certificate};
        ssl_certificate_key {site.certificate_key};
{directives}        if ($is_ambiguous) {{ return 404; }}

{locations}
        location / {{ return 404; }}
{UNAVAILABLE}
    }}"""


def _public_servers(site: Site, paths: Sequence[Path]) -> str:
    locations = _locations(routes.public(paths, has_root_aliases=site.has_root_aliases)) + BELOW
    servers = [_server(site, site.listen, locations, LIMITED)]
    if site.mtls_listen:
        servers.append(_server(site, site.mtls_listen, locations, LIMITED + ANY_CERTIFICATE))
    return "\n\n".join(servers)


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
        run_dir=site.run_dir,
        cache_dir=site.cache_dir,
        client_certificate="$client_certificate" if site.mtls_listen else '""',
        certificate_map=_certificate_map() if site.mtls_listen else "",
        ambiguous=routes.AMBIGUOUS.replace("\\\\", "\\" * 4),  # nginx reads two backslashes as one
        upstreams=_upstreams(site),
        public_servers=_public_servers(site, paths),
        administration_server=_server(site, [site.internal_listen], _locations(routes.administration(paths))),
    )
