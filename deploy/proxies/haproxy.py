"""HAProxy's configuration. Certificate and key are in one file, which `certificate` names."""

from collections.abc import Iterable, Iterator, Sequence

from deploy.proxies import routes
from deploy.proxies.limits import BODY_LIMIT, CIPHERS, HEADER_LIMIT
from deploy.proxies.site import UNIX, Site, template
from shared.paths import PATHS, PREFIX, Path, Service

TEMPLATE = template("haproxy.cfg.template")

NOT_STORED = "hdr Cache-Control no-store"
TEXT = "content-type text/plain string"
UNAVAILABLE = (
    """content-type application/json string '{"error":"temporarily_unavailable"}'"""
    f" hdr Retry-After 1 {NOT_STORED}"
)
ANY_CLIENT_CERTIFICATE = (
    "verify optional ca-verify-file @system-ca crt-ignore-err all ca-ignore-err all"  # a service judges it
)
CLIENT_CERTIFICATE = "    http-request set-header Client-Cert :%[ssl_c_der,base64]: if { ssl_c_used }\n"
OWN_ERRORS = (500, 502, 503, 504)


def render(site: Site, paths: Sequence[Path] = PATHS) -> str:
    """The whole haproxy.cfg, which maps *paths*."""
    return TEMPLATE.substitute(
        host=site.host,
        ciphers=":".join(CIPHERS),
        prefix=PREFIX,
        ambiguous=routes.AMBIGUOUS,
        header_limit=HEADER_LIMIT,
        body_limit=BODY_LIMIT,
        errors="\n".join(f"    http-error status {status} {UNAVAILABLE}" for status in OWN_ERRORS),
        not_found=f'{TEXT} "Not found\\n" {NOT_STORED}',
        headers_too_large=f'{TEXT} "The header fields are larger than 32 KiB.\\n" {NOT_STORED}',
        body_too_large=f'{TEXT} "The body is larger than 64 KiB.\\n" {NOT_STORED}',
        listen="\n".join(
            (
                *_binds(site.listen, site.certificate),
                *_binds(site.mtls_listen, f"{site.certificate} {ANY_CLIENT_CERTIFICATE}"),
            )
        ),
        client_certificate=CLIENT_CERTIFICATE if site.mtls_listen else "",
        public_routes=_routes(routes.public(paths, has_root_aliases=site.has_root_aliases)),
        internal_listen="\n".join(_binds([site.internal_listen], site.certificate)),
        administration_routes=_routes(routes.administration(paths)),
        backends="\n\n".join(_backends(site)),
    )


def _binds(addresses: Iterable[str], certificate: str) -> Iterator[str]:
    for address in addresses:
        yield (
            f"    bind {address if ':' in address else f':{address}'} ssl crt {certificate} alpn h2,http/1.1"
        )


def _routes(paths: Iterable[Path]) -> str:
    """An ACL for each path; those of one service have one name, and so are alternatives."""
    lines = []
    for service, own in routes.by_service(paths).items():
        lines += [f"    acl {service} {_match(path)}" for path in own]
        lines.append(f"    use_backend {service} if {service}")
    return "\n".join(lines)


def _match(path: Path) -> str:
    return f"path_reg '^{routes.expression(path)}$'" if routes.has_parameter(path) else f"path -m str {path}"


def _backends(site: Site) -> Iterator[str]:
    """The servers of each service. Without a drain delay, polling would not notice that one stops."""
    checks, check = "", ""
    if site.drain_delay:
        checks = (
            "    option httpchk\n    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost\n"
        )
        check = f" check inter {site.polling} rise 1 fall 2"
    for service in Service:
        servers = "\n".join(
            f"    server {service}-{number} {_server(address)}{check}"
            for number, address in enumerate(site.upstreams[service], 1)
        )
        yield f"backend {service} from servers\n{checks}{servers}"


def _server(address: str) -> str:
    return f"unix@{address.removeprefix(UNIX)}" if address.startswith(UNIX) else address
