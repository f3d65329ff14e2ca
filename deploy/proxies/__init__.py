"""Reverse proxies in front of the services. `python -m deploy.proxies NAME` prints a configuration."""

from collections.abc import Callable, Mapping

from deploy.proxies import caddy, envoy, haproxy, nginx, traefik
from deploy.proxies.site import Site

RENDERERS: Mapping[str, Callable[[Site], str]] = {
    "nginx": nginx.render,
    "caddy": caddy.render,
    "haproxy": haproxy.render,
    "traefik": traefik.render,
    "traefik-static": traefik.render_static,
    "envoy": envoy.render,
}
"""By the name that operators use."""
