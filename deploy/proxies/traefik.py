"""Traefik's configuration, as JSON, which is YAML: what its file provider reads, and what it starts with.

Traefik cannot add an id or a time to a request, so those of clients are dropped. It answers 502 or 504
itself while no server of a service can be reached.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from deploy.proxies import routes
from deploy.proxies.limits import BODY_LIMIT, CIPHERS, HEADER_LIMIT, HTTPS_ONLY
from deploy.proxies.site import UNIX, CannotRender, Site
from shared.paths import PATHS, PREFIX, Path, Service

Object = dict[str, Any]

DROPPED = (
    *(
        "Forwarded",
        "X-Real-Ip",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Forwarded-Server",
    ),
    *("X-Request-Id", "X-Request-Start", "Client-Cert", "Client-Cert-Chain", "Traceparent", "Tracestate"),
)
ADMINISTRATION = "administration"
NEVER_ENCODED = ("Slash", "BackSlash", "NullCharacter", "Semicolon", "Percent", "QuestionMark", "Hash")
GUARDS = ("limits", "forwarding", "attempts")
LEAST, MIDDLE, MOST = 1, 10, 100


def render(site: Site, paths: Sequence[Path] = PATHS) -> str:
    """The dynamic configuration, which maps *paths*.

    Raises CannotRender: a server is a unix socket, or certificates of clients are to be passed on.
    """
    if site.mtls_listen:
        raise CannotRender("Traefik cannot pass a client's certificate on as Client-Cert (RFC 9440)")
    public = routes.public(paths, has_root_aliases=site.has_root_aliases)
    points = _public_points(site)
    routers = dict(_routers(public, points))
    routers |= dict(_routers(routes.administration(paths), [ADMINISTRATION]))
    # Any other path below the issuer: the authorization service has an error page for it.
    below = f"PathPrefix(`{PREFIX}/`) && !Path(`{PREFIX}/`)"
    routers["below"] = _router(below, points, Service.AUTHORIZATION, LEAST)
    http = {
        "routers": routers,
        "middlewares": _middlewares(site),
        "services": {service: _service(site, service) for service in Service},
        "serversTransports": {
            "services": {
                "forwardingTimeouts": {
                    "dialTimeout": "1s",
                    "responseHeaderTimeout": "15s",
                    "idleConnTimeout": f"{site.wait}s",
                }
            }
        },
    }
    certificate = {"certFile": site.certificate, "keyFile": site.certificate_key}
    tls = {
        "certificates": [certificate],
        "stores": {"default": {"defaultCertificate": certificate}},
        "options": {
            "default": {
                "minVersion": "VersionTLS12",
                "cipherSuites": list(CIPHERS.values()),
                "alpnProtocols": ["h2", "http/1.1"],
            }
        },
    }
    return json.dumps({"http": http, "tls": tls}, indent=2) + "\n"


def render_static(site: Site, _: Sequence[Path] = PATHS) -> str:
    """What Traefik starts with. It reads the dynamic configuration from `dynamic.yaml` beside it."""
    timeouts = {"respondingTimeouts": {"readTimeout": "15s", "writeTimeout": "30s", "idleTimeout": "60s"}}
    http: Object = {
        "tls": {},
        "maxHeaderBytes": HEADER_LIMIT,
        "encodedCharacters": dict.fromkeys(map("allowEncoded{}".format, NEVER_ENCODED), False),
        "aliasHeadersStrategy": "delete",  # X_Forwarded_For is not X-Forwarded-For
    }
    addresses = dict(zip(_public_points(site), site.listen, strict=True)) | {
        ADMINISTRATION: site.internal_listen
    }
    points = {
        name: {"address": _listen(address), "http": http, "transport": timeouts}
        for name, address in addresses.items()
    }
    whole = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO"},
        "entryPoints": points,
        "providers": {"file": {"filename": "dynamic.yaml"}},
    }
    return json.dumps(whole, indent=2) + "\n"


def _public_points(site: Site) -> Sequence[str]:
    return [f"public-{number}" for number in range(1, len(site.listen) + 1)]


def _routers(paths: Iterable[Path], points: Sequence[str]) -> Iterator[tuple[str, Object]]:
    """A router for the exact paths of each service, and one for each path with parameters."""
    for service, own in routes.by_service(paths).items():
        exact = [f"Path(`{path}`)" for path in own if not routes.has_parameter(path)]
        patterns = [
            f"PathRegexp(`^{routes.expression(path)}$`)" for path in own if routes.has_parameter(path)
        ]
        if exact:
            yield f"{points[0]}-{service}", _router(" || ".join(exact), points, service, MOST)
        if patterns:
            yield f"{points[0]}-{service}-patterns", _router(" || ".join(patterns), points, service, MIDDLE)


def _router(rule: str, points: Sequence[str], service: Service, priority: int) -> Object:
    return {
        "rule": rule,
        "entryPoints": points,
        "service": service,
        "middlewares": GUARDS,
        "priority": priority,
        "tls": {},
    }


def _middlewares(site: Site) -> Object:
    """Limits; headers that clients must not send; a second server if the first cannot be reached."""
    return {
        "limits": {"buffering": {"maxRequestBodyBytes": BODY_LIMIT}},
        "forwarding": {
            "headers": {
                "customRequestHeaders": {**dict.fromkeys(DROPPED, ""), "Host": site.host},
                "customResponseHeaders": dict([HTTPS_ONLY]),
            }
        },
        "attempts": {"retry": {"attempts": 2}},
    }


def _service(site: Site, service: Service) -> Object:
    servers = site.upstreams[service]
    if sockets := [server for server in servers if server.startswith(UNIX)]:
        raise CannotRender(f"Traefik cannot connect to {sockets[0]}: let the services listen on HOST:PORT")
    balancer: Object = {
        "servers": [{"url": f"http://{server}"} for server in servers],
        "serversTransport": "services",
    }
    if site.drain_delay:
        balancer["healthCheck"] = {"path": "/readyz", "interval": site.polling, "timeout": "2s"}
    return {"loadBalancer": balancer}


def _listen(address: str) -> str:
    return address if ":" in address else f":{address}"
