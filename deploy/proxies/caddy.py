"""Caddy's configuration.

Paths are matched against the request target as it was sent. Caddy's own `path` matcher ignores case, decodes
and resolves `..`, and then forwards something else than it matched.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from deploy.proxies import routes
from deploy.proxies.limits import CIPHERS
from deploy.proxies.site import UNIX, Site, listener, template
from shared.paths import PATHS, PREFIX, Path, Service

TEMPLATE = template("Caddyfile.template")

# Go's net/http reports a malformed request body in these words. Caddy would blame the service for it.
MALFORMED_BODY = (
    r"^(invalid byte in chunk length|malformed chunked encoding|http chunk length too large"
    r"|header line too long|chunked encoding contains too much non-data|malformed MIME header.*"
    r"|unexpected EOF"
    r"|http: ContentLength=.*|request declared a Content-Length of .*)$"
)
# Any certificate, which a service judges.
MTLS = """		client_auth {
			mode request
		}
"""
CLIENT_CERTIFICATE = """	@certified vars_regexp {http.request.tls.client.certificate_der_base64} .
	request_header @certified Client-Cert :{http.request.tls.client.certificate_der_base64}:
"""
MOST_RETRIES = 2
BELOW_PREFIX = rf"^{PREFIX}/[^?]+(\?.*)?$"


def pattern(paths: Iterable[Path]) -> str:
    """The regular expression (RE2) of request targets whose path is one of *paths*."""
    alternatives = (routes.expression(path, "[^/?]+") for path in paths)
    return rf"^({'|'.join(alternatives)})(\?.*)?$"


def render(site: Site, paths: Sequence[Path] = PATHS) -> str:
    """The whole Caddyfile, which maps *paths*."""
    below = _route(site, "unknown", BELOW_PREFIX, Service.AUTHORIZATION)
    public = routes.public(paths, has_root_aliases=site.has_root_aliases)
    return TEMPLATE.substitute(
        host=site.host,
        name=urlsplit(f"//{site.host}").hostname,
        ciphers=" ".join(CIPHERS.values()),
        ambiguous=f"(?i){routes.AMBIGUOUS}",
        malformed_body=MALFORMED_BODY,
        public_routes="".join((*_routes(site, public), below)),
        administration_routes="".join(_routes(site, routes.administration(paths))),
        client_certificate=CLIENT_CERTIFICATE if site.mtls_listen else "",
        public_sites="\n".join(
            (*_sites(site, site.listen, "public"), *_sites(site, site.mtls_listen, "public", MTLS))
        ),
        administration_sites="\n".join(_sites(site, [site.internal_listen], "administration")),
    )


def _sites(site: Site, addresses: Iterable[str], snippet: str, client_auth: str = "") -> Iterator[str]:
    """A site for each port, with the interfaces that it is served on."""
    by_port = defaultdict[int, list[str]](list)
    for address in addresses:
        host, port = listener(address)
        by_port[port].append(f"tcp6/{host}" if host.startswith("[") else f"tcp4/{host}")
    for port, binds in by_port.items():
        yield f"""https://:{port} {{
	bind {" ".join(binds)}
	tls {site.certificate} {site.certificate_key} {{
		import modern
{client_auth}	}}
	import {snippet}
}}"""


def _routes(site: Site, paths: Iterable[Path]) -> Iterator[str]:
    for service, own in routes.by_service(paths).items():
        yield _route(site, service, pattern(own), service)


def _route(site: Site, name: str, expression: str, service: Service) -> str:
    """Caddy retries a request if it could not connect. If it could, it retries only GET.

    It takes all unix sockets for one host: with a kept connection, it would ask one server for another.
    """
    servers = " ".join(map(_server, site.upstreams[service]))
    health = f"""			health_uri /readyz
			health_interval {site.polling}
			health_timeout 2s
			health_passes 1
			health_fails 2
			health_headers {{
				Connection close
			}}
"""
    return f"""		@{name} vars_regexp {{http.request.uri}} `{expression}`
		reverse_proxy @{name} {servers} {{
			lb_policy round_robin
			lb_retries {MOST_RETRIES}
			lb_try_interval 50ms
{health if site.drain_delay else ""}			header_up Host {site.host}
			header_up -X-Forwarded-Host
			header_up -Via
			transport http {{
				dial_timeout 1s
				response_header_timeout 15s
				keepalive {site.wait}s
				compression off
			}}
		}}
"""


def _server(address: str) -> str:
    return f"unix/{address.removeprefix(UNIX)}" if address.startswith(UNIX) else address
