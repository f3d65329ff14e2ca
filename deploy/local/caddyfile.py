"""The reverse proxy's configuration, rendered from the path map.

Paths are matched against the request target as it was sent. Caddy's own `path` matcher ignores case, decodes
and resolves `..`, and then forwards something else than it matched.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deploy.proxies.caddy import MALFORMED_BODY, pattern
from shared.paths import PREFIX, Path, Service

BODY_LIMIT = "64KiB"
HEADER_LIMIT = "32KiB"
ANSWER_SECONDS = 30  # the limit for a response of a service
RETRY_SECONDS = 5  # the time for which a request waits for a service that is restarting
KEEPALIVE_SECONDS = 30  # below the services' own, so that no connection closes during a request

_DOT_SEGMENT = r"^[^?]*/(\.|%2[eE])(\.|%2[eE])?(/|\?|$)"
_BELOW_PREFIX = rf"^{re.escape(PREFIX)}(/[^?]*)?(\?.*)?$"
OWN_ANSWER = """header {
			-Server
			Cache-Control no-store
			X-Content-Type-Options nosniff
		}"""


@dataclass(frozen=True, slots=True)
class ProxySite:
    """The listeners of the proxy: `address` as in an issuer, and the interfaces `binds`."""

    scheme: str
    address: str
    port: int
    binds: tuple[str, ...]

    @property
    def origin(self) -> str:
        """The origin that it serves."""
        return f"{self.scheme}://{self.address}:{self.port}"


def caddyfile(paths: Iterable[Path], site: ProxySite, upstreams: Mapping[Service, str]) -> str:
    """A Caddyfile that maps *paths* at *site* to *upstreams*. The working directory has Caddy's local CA.

    Unmapped paths below PREFIX go to the authorization service, which has a page for them.
    """
    served = list(paths)
    mine = {service: [path for path in served if path.service is service] for service in Service}
    routes = [
        _route(service, pattern(mine[service]), upstreams[service]) for service in Service if mine[service]
    ]
    routes.append(_route("unknown", _BELOW_PREFIX, upstreams[Service.AUTHORIZATION]))
    return "\n".join((_options(site), _site(site, routes), _elsewhere(site)))


def _options(site: ProxySite) -> str:
    # default_sni: some clients, such as Java, send no name without a dot in their handshake (localhost).
    return f"""{{
	admin off
	persist_config off
	skip_install_trust
	auto_https {"disable_redirects" if site.scheme == "https" else "off"}
	default_sni {site.address}
	storage file_system .
	grace_period 3s
	servers {{
		protocols h1 h2
		max_header_size {HEADER_LIMIT}
		timeouts {{
			read_header 5s
			read_body 15s
			write 60s
			idle 75s
		}}
	}}
}}
"""


def _site(site: ProxySite, routes: Iterable[str]) -> str:
    # No Strict-Transport-Security: browsers apply it to every port of localhost, also to other programs'.
    # @unmeasured: after a body without a Content-Length, the connection is closed, and nothing more is read.
    tls = "\ttls internal\n" if site.scheme == "https" else ""
    return f"""{site.origin} {{
	bind {" ".join(site.binds)}
{tls}	header -Server
	header -Via
	route {{
		request_header -X-Forwarded-*
		request_header -Forwarded
		request_header -X-Real-Ip
		request_header X-Request-Id {{http.request.uuid}}
		request_header -Traceparent
		request_header -Tracestate
		request_header X-Request-Start {{time.now.unix_ms}}
		request_body {{
			max_size {BODY_LIMIT}
		}}
		@unmeasured {{
			protocol http/1.1
			not method GET HEAD
			header !Content-Length
		}}
		header @unmeasured Connection close
		@dot_segment vars_regexp {{http.request.uri}} `{_DOT_SEGMENT}`
		header @dot_segment Cache-Control no-store
		respond @dot_segment "Not found" 404
{"".join(routes)}		header Cache-Control no-store
		respond "Not found" 404
	}}
	handle_errors 413 {{
		{OWN_ANSWER}
		respond "Too much" 413
	}}
	handle_errors 502 503 504 {{
		{OWN_ANSWER}
		route {{
			@malformed vars_regexp {{http.error.message}} `{MALFORMED_BODY}`
			respond @malformed "The body is malformed" 400
			header Retry-After 1
			respond "Not available at the moment: try again" 503
		}}
	}}
}}
"""


def _route(name: str, expression: str, upstream: str) -> str:
    # Caddy retries a request if it could not connect. If it could, it retries only GET.
    return f"""		@{name} vars_regexp {{http.request.uri}} `{expression}`
		reverse_proxy @{name} {upstream} {{
			lb_try_duration {RETRY_SECONDS}s
			lb_try_interval 50ms
			transport http {{
				dial_timeout 2s
				response_header_timeout {ANSWER_SECONDS}s
				keepalive {KEEPALIVE_SECONDS}s
				compression off
			}}
		}}
"""


def _elsewhere(site: ProxySite) -> str:
    return f"""{site.scheme}://:{site.port} {{
	bind {" ".join(site.binds)}
	{OWN_ANSWER}
	respond "Nothing is served under this name: see {site.origin}" 421
}}
"""
