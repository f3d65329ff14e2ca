"""The reverse proxy's configuration matches the path map."""

import re

import pytest

from deploy.local.caddyfile import ProxySite, caddyfile
from deploy.proxies.caddy import MALFORMED_BODY, pattern
from shared.paths import PATHS, Group, Path, Service

SITE = ProxySite("http", "localhost", 8080, ("127.0.0.1",))
UPSTREAMS = {service: f"unix//run/{service}.sock" for service in Service}
RENDERED = caddyfile(PATHS, SITE, UPSTREAMS)
MATCHER = re.compile(r"@(\S+) vars_regexp \{http\.request\.uri\} `(.+)`")
EXAMPLES = {"{version}": "0a1b", "{file}": "page.css", "{client_id}": "cells-sync"}


def upstream(target: str) -> str | None:
    """The first matcher in RENDERED, in the order of the file, that matches a request target."""
    return next((name for name, regexp in MATCHER.findall(RENDERED) if re.search(regexp, target)), None)


def _example(path: Path) -> str:
    return re.sub(r"\{[a-z_]+\}", lambda match: EXAMPLES.get(match[0], "x"), path.path)


@pytest.mark.parametrize("query", ["", "?", "?a=/oidc/login"])
def test_every_path_goes_to_its_service(query: str) -> None:
    """The path map decides, with and without a query."""
    assert {str(path): upstream(_example(path) + query) for path in PATHS} == {
        str(path): path.service for path in PATHS
    }


@pytest.mark.parametrize(
    "target",
    [
        "/oidc/no/such",
        "/oidc/login/",
        "/oidc/Login",
        "/oidc/%6cogin",
        "/oidc/static/a/b/c",
        "/oidc//login",
    ],
)
def test_what_no_service_maps_below_the_prefix_gets_our_page(target: str) -> None:
    """A path in another case or encoding, or with another segment, does not match."""
    assert upstream(target) == "unknown"


@pytest.mark.parametrize(
    "target",
    ["/oidc/../metrics", "/oidc/x/..", "/oidc/%2e%2E/login", "/oidc/./login", "/oidc/.?x", "/.%2e/oidc"],
)
def test_dot_segments_go_nowhere(target: str) -> None:
    """A path with dot segments is refused."""
    assert upstream(target) == "dot_segment"


@pytest.mark.parametrize(
    "target", ["/healthz", "/readyz", "/metrics", "/OIDC/login", "/oidcs", "/x?/oidc/login"]
)
def test_what_lies_outside_is_not_mapped(target: str) -> None:
    """No service receives the request."""
    assert upstream(target) is None


def test_a_group_that_is_not_served_is_not_in_the_file() -> None:
    """The start page and the aliases are mapped only if they are enabled."""
    public = caddyfile([path for path in PATHS if path.group is Group.PUBLIC], SITE, UPSTREAMS)
    assert "/oauth2/oob|" in RENDERED or "|/oauth2/oob" in RENDERED
    assert "|/oauth2/oob" not in public


def test_a_pattern_takes_the_path_literally() -> None:
    """A dot matches only a dot, and a parameter matches one non-empty segment."""
    expression = pattern([Path("/a.b/{c}", Service.TOKEN)])
    assert re.search(expression, "/a.b/x")
    assert not any(re.search(expression, target) for target in ("/aXb/x", "/a.b/", "/a.b/x/y", "/z/a.b/x"))


def test_nothing_a_client_claims_reaches_a_service() -> None:
    """The proxy replaces the forwarding headers that the client sent."""
    for line in ("-X-Forwarded-*", "-Forwarded", "-X-Real-Ip", "X-Request-Id {http.request.uuid}"):
        assert f"\t\trequest_header {line}\n" in RENDERED


def test_a_service_that_is_away_is_503() -> None:
    """Errors of the proxy itself have Retry-After (RFC 9110 §10.2.3)."""
    errors = RENDERED.partition("handle_errors 502 503 504 {")[2]
    assert "header Retry-After 1\n" in errors.partition('" 503')[0]


@pytest.mark.parametrize(
    ("message", "is_clients"),
    [
        ("malformed chunked encoding", True),
        ("unexpected EOF", True),
        ("request declared a Content-Length of 100 but only wrote 3 bytes", True),  # HTTP/2
        ("EOF", False),
        ("net/http: HTTP/1.x transport connection broken: unexpected EOF", False),
        ("dial unix /run/token.sock: connect: connection refused", False),
    ],
)
def test_a_fault_of_a_body_is_told_from_one_of_a_service(message: str, is_clients: bool) -> None:
    """The response is 400 or 503, depending on Caddy's error message."""
    assert bool(re.search(MALFORMED_BODY, message)) is is_clients
