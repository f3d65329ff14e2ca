"""Envoy's configuration, as JSON."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from deploy.proxies import routes
from deploy.proxies.limits import BODY_LIMIT, CIPHERS, HEADER_LIMIT, HTTPS_ONLY
from deploy.proxies.site import UNIX, Site, listener
from shared.paths import PATHS, PREFIX, Path, Service

Object = dict[str, Any]

_HTTP = "type.googleapis.com/envoy.extensions.filters.http"
_MANAGER = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
_PROTOCOLS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
CLIENT_CERT = "Client-Cert"
DROPPED = (
    "Forwarded",
    "X-Real-IP",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    CLIENT_CERT,
    "Client-Cert-Chain",
    "traceparent",
    "tracestate",
)
CERTIFIED: Object = {
    "name": "client-certificate",
    "typed_config": {
        "@type": f"{_HTTP}.lua.v3.Lua",
        "default_source_code": {
            "inline_string": f"""
function envoy_on_request(request)
  request:headers():remove("{CLIENT_CERT}")
  local connection = request:streamInfo():downstreamSslConnection()
  if connection == nil or not connection:peerCertificatePresented() then
    return
  end
  local certificate = connection:urlEncodedPemEncodedPeerCertificate()
  certificate = certificate:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  certificate = certificate:gsub("%-%-%-%-%-[^-]+%-%-%-%-%-", ""):gsub("%s", "")
  request:headers():add("{CLIENT_CERT}", ":" .. certificate .. ":")
end
"""
        },
    },
}
"""A filter that makes the header field of RFC 9440 §2.2 from the PEM that Envoy has."""
NOT_FOUND: Object = {"direct_response": {"status": 404, "body": {"inline_string": "Not found\n"}}}
AMBIGUOUS: Object = {"match": {"safe_regex": {"regex": f"(?i){routes.AMBIGUOUS}.*"}}, **NOT_FOUND}


def render(site: Site, paths: Sequence[Path] = PATHS) -> str:
    """The whole bootstrap configuration, which maps *paths*."""
    public = list(_routes(site, routes.public(paths, has_root_aliases=site.has_root_aliases)))
    # Any other path below the issuer: the authorization service has an error page for it.
    public += [
        {"match": {"path": f"{PREFIX}/"}, **NOT_FOUND},
        _route(site, {"prefix": f"{PREFIX}/"}, Service.AUTHORIZATION),
    ]
    internal = list(_routes(site, routes.administration(paths)))
    listeners = [
        _listener(site, f"public-{number}", address, public) for number, address in enumerate(site.listen, 1)
    ]
    listeners += [
        _listener(site, f"mtls-{number}", address, public, is_mtls=True)
        for number, address in enumerate(site.mtls_listen, 1)
    ]
    listeners.append(_listener(site, "administration", site.internal_listen, internal))
    clusters = [_cluster(site, service) for service in Service]
    return json.dumps({"static_resources": {"listeners": listeners, "clusters": clusters}}, indent=2) + "\n"


def _routes(site: Site, paths: Iterable[Path]) -> Iterator[Object]:
    for path in paths:
        if routes.has_parameter(path):
            yield _route(site, {"safe_regex": {"regex": routes.expression(path)}}, path.service)
        else:
            yield _route(site, {"path": path.path}, path.service)


def _route(site: Site, match: Object, service: Service) -> Object:
    """A request that could not be sent is sent to another server; what was sent is never repeated."""
    action = {
        "cluster": service,
        "host_rewrite_literal": site.host,
        "timeout": "15s",
        "retry_policy": {"retry_on": "connect-failure,refused-stream", "num_retries": 1},
    }
    return {"match": match, "route": action}


def _listener(site: Site, name: str, address: str, own: Sequence[Object], *, is_mtls: bool = False) -> Object:
    host, port = listener(address)
    return {
        "name": name,
        "address": {"socket_address": {"address": host.strip("[]"), "port_value": port}},
        "filter_chains": [
            {
                "transport_socket": {"name": "tls", "typed_config": _tls(site, is_mtls=is_mtls)},
                "filters": [{"name": "http", "typed_config": _manager(site, own, is_mtls=is_mtls)}],
            }
        ],
    }


def _tls(site: Site, *, is_mtls: bool) -> Object:
    files = {"certificate_chain": site.certificate, "private_key": site.certificate_key}
    any_certificate = {"validation_context": {"trust_chain_verification": "ACCEPT_UNTRUSTED"}}
    return {
        "@type": _TLS,
        "common_tls_context": {
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_params": {
                "tls_minimum_protocol_version": "TLSv1_2",
                "tls_maximum_protocol_version": "TLSv1_3",
                "cipher_suites": list(CIPHERS),
            },
            "tls_certificates": [{name: {"filename": file} for name, file in files.items()}],
            **(any_certificate if is_mtls else {}),  # a service judges it
        },
    }


def _manager(site: Site, own: Sequence[Object], *, is_mtls: bool) -> Object:
    added = {
        "X-Forwarded-For": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "X-Forwarded-Proto": "https",
        "X-Request-Start": "t=%START_TIME(%s.%3f)%",
    }
    return {
        "@type": _MANAGER,
        "stat_prefix": "ostiary",
        "use_remote_address": True,
        "skip_xff_append": True,
        "preserve_external_request_id": False,
        "server_header_transformation": "PASS_THROUGH",
        "normalize_path": False,  # what it and a service may read differently is AMBIGUOUS
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "max_request_headers_kb": HEADER_LIMIT // 1024,
        "request_headers_timeout": "5s",
        "stream_idle_timeout": "15s",
        "common_http_protocol_options": {
            "idle_timeout": "60s",
            "headers_with_underscores_action": "DROP_HEADER",
        },
        "local_reply_config": _own_replies(),
        "http_filters": [
            *([CERTIFIED] if is_mtls else []),
            {
                "name": "buffer",
                "typed_config": {"@type": f"{_HTTP}.buffer.v3.Buffer", "max_request_bytes": BODY_LIMIT},
            },
            {
                "name": "router",
                "typed_config": {"@type": f"{_HTTP}.router.v3.Router", "suppress_envoy_headers": True},
            },
        ],
        "route_config": {
            "request_headers_to_remove": [name for name in DROPPED if not is_mtls or name != CLIENT_CERT],
            "request_headers_to_add": [_header(name, value) for name, value in added.items()],
            "response_headers_to_add": [STRICT],
            "virtual_hosts": [
                {
                    "name": "ostiary",
                    "domains": ["*"],
                    "routes": [AMBIGUOUS, *own, {"match": {"prefix": "/"}, **NOT_FOUND}],
                }
            ],
        },
    }


def _header(name: str, value: str) -> Object:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


NOT_STORED, STRICT = _header("Cache-Control", "no-store"), _header(*HTTPS_ONLY)


def _own_replies() -> Object:
    """Errors of Envoy itself are reported as temporary, and nothing that it answers is stored."""
    unavailable = {
        "status_code": 503,
        "headers_to_add": [_header("Retry-After", "1"), NOT_STORED, STRICT],
        "body_format_override": {"json_format": {"error": "temporarily_unavailable"}},
    }
    return {
        "mappers": [
            {"filter": _at_least(500), **unavailable},
            {"filter": _at_least(400), "headers_to_add": [NOT_STORED, STRICT]},
        ]
    }


def _at_least(status: int) -> Object:
    value = {"default_value": status, "runtime_key": f"replies-from-{status}"}
    return {"status_code_filter": {"comparison": {"op": "GE", "value": value}}}


def _cluster(site: Site, service: Service) -> Object:
    endpoints = [{"endpoint": {"address": _address(server)}} for server in site.upstreams[service]]
    cluster: Object = {
        "name": service,
        "type": "STATIC" if all(map(_is_unix, site.upstreams[service])) else "STRICT_DNS",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            _PROTOCOLS: {
                "@type": f"type.googleapis.com/{_PROTOCOLS}",
                "common_http_protocol_options": {"idle_timeout": f"{site.wait}s"},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
        "load_assignment": {"cluster_name": service, "endpoints": [{"lb_endpoints": endpoints}]},
    }
    if site.drain_delay:
        check: Object = {
            "timeout": "2s",
            "interval": f"{site.wait / 2}s",
            "unhealthy_threshold": 2,
            "healthy_threshold": 1,
        }
        cluster["health_checks"] = [{**check, "http_health_check": {"path": "/readyz"}}]
    return cluster


def _is_unix(server: str) -> bool:
    return server.startswith(UNIX)


def _address(server: str) -> Object:
    if _is_unix(server):
        return {"pipe": {"path": server.removeprefix(UNIX)}}
    host, port = listener(server)
    return {"socket_address": {"address": host.strip("[]"), "port_value": port}}
